"""Tiny random encoders of every known family, each with a tokenizer of the family's kind. No download."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoConfig,
    AutoModel,
    BertTokenizerFast,
    DebertaTokenizerFast,
    DebertaV2TokenizerFast,
    PreTrainedTokenizerFast,
    RobertaTokenizerFast,
    XLMRobertaTokenizerFast,
)

from tests.conftest import LETTERS, WORDS

BERT_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
BERT_NAMES = dict(
    zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), BERT_SPECIAL, strict=True)
)
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 160,
}
# what else their configs have: as small as is needed to reach all that is special in a family
OWN = {
    "deberta": {
        "relative_attention": True,
        "pos_att_type": ["c2p", "p2c"],
        "position_biased_input": False,
        "type_vocab_size": 0,
    },
    # conv_kernel_size: of DeBERTa-v2-xlarge; the rest as DeBERTa-v3
    "deberta-v2": {
        "relative_attention": True,
        "pos_att_type": ["c2p", "p2c"],
        "position_biased_input": False,
        "position_buckets": 16,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "conv_kernel_size": 3,
        "type_vocab_size": 0,
    },
    "electra": {"embedding_size": 16},
    # layers 2 and 3 see 4 tokens to either side
    "modernbert": {"local_attention": 8},
    "roberta": {"type_vocab_size": 1},
    "xlm-roberta": {"type_vocab_size": 1},
}


def write_family(folder: Path, family: str) -> Path:
    """A random three-layer encoder of width 32; the same numbers each time."""
    folder.mkdir(exist_ok=True)
    tokenizer = _tokenizer(family, folder)
    tokenizer.save_pretrained(folder)
    names = ("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id")
    ids = {name: getattr(tokenizer, name) for name in names if getattr(tokenizer, name) is not None}
    sizes = {} if family == "distilbert" else SIZES
    pieces = max(tokenizer.get_vocab().values()) + 1
    config = AutoConfig.for_model(family, vocab_size=pieces, **sizes, **OWN.get(family, {}), **ids)
    if family == "distilbert":
        for name, value in zip(("dim", "n_layers", "n_heads", "hidden_dim"), SIZES.values(), strict=False):
            setattr(config, name, value)
        config.max_position_embeddings = SIZES["max_position_embeddings"]
    torch.manual_seed(0)
    model = AutoModel.from_config(config)
    for parameter in model.parameters():
        if parameter.dim() > 1:  # so large that attention attends to something
            torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)
    return folder


def _tokenizer(family: str, folder: Path):
    pieces = [*LETTERS, *WORDS]
    if family in ("bert", "distilbert", "electra"):
        (folder / "vocab.txt").write_text("\n".join([*BERT_SPECIAL, *pieces]), encoding="utf-8")
        return BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    if family in ("deberta-v2", "xlm-roberta"):
        own = BERT_SPECIAL if family == "deberta-v2" else ROBERTA_SPECIAL
        scores = dict.fromkeys(own, 0.0) | {"▁": -4.0}
        scores |= {letter.removeprefix("##"): -3.0 for letter in LETTERS} | {
            f"▁{word}": -2.0 for word in WORDS
        }
        kind = DebertaV2TokenizerFast if family == "deberta-v2" else XLMRobertaTokenizerFast
        return kind(vocab=list(scores.items()))
    special = ROBERTA_SPECIAL if family == "roberta" else BERT_SPECIAL
    raw = _byte_level(special)
    if family == "modernbert":
        ids = [(name, raw.token_to_id(name)) for name in ("[SEP]", "[CLS]")]
        raw.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=ids
        )
        return PreTrainedTokenizerFast(tokenizer_object=raw, **BERT_NAMES)
    model = json.loads(raw.to_str())["model"]
    kind = RobertaTokenizerFast if family == "roberta" else DebertaTokenizerFast
    return kind(vocab=model["vocab"], merges=[tuple(pair) for pair in model["merges"]])


def _byte_level(special: list[str]) -> Tokenizer:
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=350,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator([" ".join(WORDS)], trainer)
    return raw
