"""A plain multi-task loop: a `transformers` encoder with one linear head per corpus.

Batches of all corpora are visited in random order, once per epoch. What belongs to one corpus (its head, its
batches and their order) is drawn from the corpus's own seed, so it does not depend on the partners.
"""

import json
import random
import sys
from pathlib import Path

import torch
from torch import nn
from transformers import AutoModel, AutoTokenizer

from transfer.encoders import locate

job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
out = Path(sys.argv[2])
settings = job["settings"]
device = "cuda" if torch.cuda.is_available() else "cpu"
torch.set_num_threads(job["threads"])
torch.manual_seed(job["seed"])

folder = locate(settings["encoder"]).folder
tokenizer = AutoTokenizer.from_pretrained(folder)
encoder = AutoModel.from_pretrained(folder, num_hidden_layers=settings["layers"]).to(device)


def rows_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def encoded(rows):
    """Model inputs of rows, and the subword that stands for each token of a tagged sentence."""
    how = {"padding": True, "truncation": True, "max_length": settings["max_length"], "return_tensors": "pt"}
    if "tokens" in rows[0]:
        inputs = tokenizer([row["tokens"] for row in rows], is_split_into_words=True, **how)
        return inputs.to(device), [first_subwords(inputs.word_ids(i)) for i in range(len(rows))]
    if "text" in rows[0]:
        return tokenizer([row["text"] for row in rows], **how).to(device), None
    return tokenizer([row["text_a"] for row in rows], [row["text_b"] for row in rows], **how).to(device), None


def first_subwords(words):
    """The place of each word's first subword; a sentence that is too long loses its end."""
    return [i for i, word in enumerate(words) if word is not None and word not in words[:i]]


class Head(nn.Module):
    """A linear layer on [CLS], or on each token's first subword."""

    def __init__(self, corpus):
        super().__init__()
        self.kind, self.labels = corpus["kind"], corpus["labels"]
        torch.manual_seed(corpus["seed"])
        self.linear = nn.Linear(encoder.config.hidden_size, len(self.labels) or 1)

    def logits(self, rows):
        inputs, places = encoded(rows)
        states = encoder(**inputs).last_hidden_state
        if places is None:
            return self.linear(states[:, 0])
        return [self.linear(states[i, own]) for i, own in enumerate(places)]

    def loss(self, rows):
        logits = self.logits(rows)
        if self.kind == "tagging":
            kept = [[self.labels.index(tag) for tag in row["tags"]] for row in rows]
            target = [tag for tags, own in zip(kept, logits) for tag in tags[: len(own)]]
            return nn.functional.cross_entropy(torch.cat(logits), torch.tensor(target, device=device))
        if self.kind == "similarity":
            return ((logits[:, 0] - torch.tensor([row["score"] for row in rows], device=device)) ** 2).mean()
        if self.kind == "multilabel":
            target = [[float(label in row["labels"]) for label in self.labels] for row in rows]
            return nn.functional.binary_cross_entropy_with_logits(logits, torch.tensor(target, device=device))
        target = torch.tensor([self.labels.index(row["label"]) for row in rows], device=device)
        return nn.functional.cross_entropy(logits, target)

    def predict(self, rows):
        logits = self.logits(rows)
        if self.kind == "tagging":
            tags = [[self.labels[i] for i in own.argmax(-1)] for own in logits]
            return [own + ["O"] * (len(row["tokens"]) - len(own)) for own, row in zip(tags, rows)]
        if self.kind == "similarity":
            return logits[:, 0].tolist()
        if self.kind == "multilabel":
            return [[label for label, x in zip(self.labels, own) if x > 0] for own in logits]
        return [self.labels[i] for i in logits.argmax(-1)]


def batches_of(rows, size):
    return [rows[i : i + size] for i in range(0, len(rows), size)]


heads = nn.ModuleDict({corpus["name"]: Head(corpus) for corpus in job["corpora"]}).to(device)
train, order = {}, {}
for corpus in job["corpora"]:
    order[corpus["name"]] = random.Random(corpus["seed"])
    rows = rows_of(corpus["train"])
    order[corpus["name"]].shuffle(rows)
    train[corpus["name"]] = batches_of(rows, settings["batch_size"])

optimizer = torch.optim.AdamW([*encoder.parameters(), *heads.parameters()], lr=settings["lr"])
steps = settings["epochs"] * sum(map(len, train.values()))
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings["lr"], total_steps=steps, pct_start=0.1)
mixing = random.Random(job["seed"])
for epoch in range(settings["epochs"]):
    encoder.train()
    turns = [name for name, batches in train.items() for _ in batches]
    mixing.shuffle(turns)
    left = {name: order[name].sample(batches, len(batches)) for name, batches in train.items()}
    for name in turns:
        loss = heads[name].loss(left[name].pop())
        loss.backward()
        nn.utils.clip_grad_norm_([*encoder.parameters(), *heads.parameters()], 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    print(f"epoch {epoch}: loss {loss.item():.3f}", flush=True)

encoder.eval()
(out / "predictions").mkdir()
with torch.no_grad():
    for corpus in job["corpora"]:
        with open(out / "predictions" / f"{corpus['name']}.jsonl", "w", encoding="utf-8") as file:
            for rows in batches_of(rows_of(corpus["test"]), 128):
                for row, answer in zip(rows, heads[corpus["name"]].predict(rows)):
                    print(json.dumps({"id": row["id"], "predicted": answer}), file=file)
