"""A decoder with LoRA: each corpus is classified by the likelihood of its labels after the text.

The corpora of a job share one adapter. With `decoder: tiny` the model is a small random one that reads bytes,
which shows that everything works and learns next to nothing; see the README for a real one.
"""

import json
import random
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
out = Path(sys.argv[2])
settings = job["settings"]
device = "cuda" if torch.cuda.is_available() else "cpu"
torch.set_num_threads(job["threads"])
torch.manual_seed(job["seed"])


class Bytes:
    """The tokenizer of the tiny decoder: UTF-8 bytes, and an end of text."""

    eos_token_id = 256

    def encode(self, text, add_special_tokens=False):
        return list(text.encode())


if settings["decoder"] == "tiny":
    tokenizer = Bytes()
    size = LlamaConfig(
        vocab_size=257, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=512,
    )  # fmt: skip
    decoder = LlamaForCausalLM(size)
else:
    tokenizer = AutoTokenizer.from_pretrained(settings["decoder"])
    decoder = AutoModelForCausalLM.from_pretrained(settings["decoder"])
adapter = LoraConfig(r=settings["rank"], lora_alpha=2 * settings["rank"], target_modules=settings["targets"])
model = get_peft_model(decoder, adapter).to(device)


def rows_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def prompt_of(corpus, row):
    text = row["text"] if "text" in row else f"{row['text_a']} | {row['text_b']}"
    kept = tokenizer.encode(text, add_special_tokens=False)[: settings["max_length"]]
    return kept + tokenizer.encode(f" {corpus['name']}:", add_special_tokens=False)


def costs_of(pairs):
    """The mean negative log-likelihood of each answer after its prompt."""
    whole = [prompt + answer for prompt, answer in pairs]
    longest = max(map(len, whole))
    ids = torch.full((len(whole), longest), tokenizer.eos_token_id)
    labels = torch.full((len(whole), longest), -100)
    mask = torch.zeros((len(whole), longest), dtype=torch.long)
    for i, (prompt, answer) in enumerate(pairs):
        ids[i, : len(whole[i])] = torch.tensor(whole[i])
        labels[i, len(prompt) : len(whole[i])] = torch.tensor(answer)
        mask[i, : len(whole[i])] = 1
    logits = model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits[:, :-1]
    labels = labels[:, 1:].to(device)
    losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none")
    return losses.sum(1) / (labels != -100).sum(1)


def batches_of(rows, size):
    return [rows[i : i + size] for i in range(0, len(rows), size)]


steps = []
for corpus in job["corpora"]:
    if corpus["kind"] != "classification":
        raise SystemExit(f"{corpus['name']}: this example knows classification, not {corpus['kind']}")
    corpus["answers"] = {
        label: [*tokenizer.encode(f" {label}", add_special_tokens=False), tokenizer.eos_token_id]
        for label in corpus["labels"]
    }
    for epoch in range(settings["epochs"]):
        rows = rows_of(corpus["train"])
        random.Random(f"{corpus['seed']} {epoch}").shuffle(rows)
        steps += [(epoch, corpus, batch) for batch in batches_of(rows, settings["batch_size"])]
random.Random(job["seed"]).shuffle(steps)
steps.sort(key=lambda step: step[0])

optimizer = torch.optim.AdamW((w for w in model.parameters() if w.requires_grad), lr=settings["lr"])
model.train()
for _, corpus, rows in steps:
    pairs = [(prompt_of(corpus, row), corpus["answers"][row["label"]]) for row in rows]
    loss = costs_of(pairs).mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
print(f"{len(steps)} steps, last loss {loss.item():.3f}", flush=True)

model.eval()
(out / "predictions").mkdir()
with torch.no_grad():
    for corpus in job["corpora"]:
        with open(out / "predictions" / f"{corpus['name']}.jsonl", "w", encoding="utf-8") as file:
            for rows in batches_of(rows_of(corpus["test"]), 16):
                answers = corpus["answers"]
                costs = costs_of([(prompt_of(corpus, row), a) for row in rows for a in answers.values()])
                best = costs.view(len(rows), len(answers)).argmin(1)
                for row, place in zip(rows, best.tolist()):
                    answer = {"id": row["id"], "predicted": corpus["labels"][place]}
                    print(json.dumps(answer), file=file)
