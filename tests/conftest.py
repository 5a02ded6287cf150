"""Shared by the tests: a tiny random BERT, tiny corpora made here, and the real ones where they are."""

import http.server
import json
import os
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from tests import grids
from transfer import cli
from transfer.grid import Grid

# several test processes share the cores, and threads that wait for one another's cores crawl
torch.set_num_threads(1)

WORDS = (  # noqa: SIM905
    "the a of in no and patient has drug pain fever cough causes treats shows mild severe acute old new "
    "aspirin ibuprofen codeine asthma angina anemia one two three left right knee chest head test scan"
).split()
# the vocabulary holds letters too, so that any word has pieces
LETTERS = [
    *"abcdefghijklmnopqrstuvwxyz0123456789.,:-",
    *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz0123456789"),
]


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer BERT of width 32 with its tokenizer, in transformers format."""
    return write_encoder(tmp_path_factory.mktemp("tiny-bert"))


def write_encoder(folder: Path) -> Path:
    """A random two-layer BERT of width 32 with its tokenizer; the same numbers each time."""
    folder.mkdir(exist_ok=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=160,
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    return folder


def write_corpus(folder: Path, card: dict, splits: dict[str, list[dict]]) -> Path:
    """A prepared corpus on disk; ``card`` is written as YAML (JSON is YAML)."""
    home = folder / card["name"]
    home.mkdir(parents=True)
    (home / "corpus.yaml").write_text(json.dumps(card), encoding="utf-8")
    for split, rows in splits.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (home / f"{split}.jsonl").write_text(text, encoding="utf-8")
    return home


def _rows(kind: str, split: str, count: int) -> list[dict]:
    rows = []
    for i in range(count):
        drug, pain = WORDS[20 + i % 3], WORDS[9 + i % 3]
        id_ = f"{split}-{i}"
        if kind == "similarity":
            same = i % 2
            rows.append(
                {
                    "id": id_,
                    "text_a": f"{drug} treats {pain}",
                    "text_b": f"{drug} treats {pain if same else 'knee'}",
                    "score": 4.0 + i % 2 if same else i % 3 * 0.5,
                }
            )
        elif kind == "classification":
            verb, label = [("treats", "good"), ("causes", "bad"), ("and", "none")][i % 3]
            rows.append({"id": id_, "text": f"the {drug} {verb} {pain} {WORDS[i % 20]}", "label": label})
        elif kind == "tagging":
            rows.append(
                {
                    "id": id_,
                    "doc": f"{split}-{i // 2}",
                    "tokens": ["patient", "has", "severe", pain, WORDS[i % 15]],
                    "tags": ["O", "O", "B-Sign", "I-Sign", "O"],
                }
            )
        else:
            labels = [name for name, on in (("x", i % 2), ("y", i % 3 == 0)) if on]
            rows.append(
                {
                    "id": id_,
                    "text": f"{pain if i % 2 else drug} {'old' if i % 3 else 'new'}",
                    "labels": labels,
                }
            )
    return rows


CARDS = {
    "similarity": {"name": "sim", "kind": "similarity", "metric": "pearson", "pair": True, "range": [0, 5]},
    "classification": {
        "name": "rel",
        "kind": "classification",
        "metric": "micro_f1",
        "labels": ["good", "bad", "none"],
        "negative": "none",
    },
    "tagging": {"name": "ner", "kind": "tagging", "metric": "span_f1", "entities": ["Sign"]},
    "multilabel": {"name": "multi", "kind": "multilabel", "metric": "example_f1", "labels": ["x", "y"]},
}


@pytest.fixture(scope="session")
def tiny_corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of prepared corpora, one of each kind: sim, rel, ner, multi."""
    folder = tmp_path_factory.mktemp("corpora")
    for kind, card in CARDS.items():
        sizes = {"train": 24, "dev": 12, "test": 12}
        write_corpus(folder, card, {split: _rows(kind, split, n) for split, n in sizes.items()})
    return folder


def _grid_text(corpora: Path, encoder: Path) -> str:
    grid = {
        "name": "tiny",
        "corpora": str(corpora),
        "tasks": ["sim", "rel", "ner"],
        "encoder": str(encoder),
        "recipe": {"base": "quick", "epochs": 2, "batch_size": 8, "lr": 0.003},
        "jobs": ["single", "pairs", "all"],
        "seeds": 2,
    }
    return json.dumps(grid, indent=1)


@pytest.fixture
def tiny_grid(tmp_path: Path, tiny_corpora: Path, tiny_encoder: Path) -> Path:
    """A grid file over the tiny corpora and the tiny encoder: 3 single, 3 pairs, 1 all, 2 seeds."""
    path = tmp_path / "tiny.yaml"
    path.write_text(_grid_text(tiny_corpora, tiny_encoder), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def real_corpora() -> Path:
    """The folder of real prepared corpora; the test is skipped where it is absent."""
    folder = Path(os.environ.get("TRANSFER_CORPORA", "../shared/corpora/prepared"))
    if not folder.is_dir():
        pytest.skip(f"no real corpora at {folder}; name their folder in TRANSFER_CORPORA")
    return folder


@dataclass(frozen=True)
class Ran:
    """A grid that was run: its file, its store, and the folder of its reports."""

    grid: Path
    store: Path
    out: Path


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory, tiny_corpora: Path, tiny_encoder: Path) -> Ran:
    """The tiny grid after an undisturbed inline run with one thread. To be read, not written."""
    folder = tmp_path_factory.mktemp("tiny-run")
    ran = Ran(folder / "tiny.yaml", folder / "runs", folder / "reports")
    ran.grid.write_text(_grid_text(tiny_corpora, tiny_encoder), encoding="utf-8")
    arguments = ["run-grid", ran.grid, "--store", ran.store, "--out", ran.out, "--executor", "inline"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 1)
        try:
            cli.main(list(map(str, arguments)))
        except SystemExit as end:
            if end.code:
                raise RuntimeError("the tiny grid did not run") from end
    return ran


@pytest.fixture
def transfer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """The command in this process: ``transfer("plan", grid)`` gives exit code, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code: object = 0
        try:
            cli.main(list(map(str, arguments)))
        except SystemExit as end:
            code = end.code or 0
        shown = capsys.readouterr()
        assert isinstance(code, int), code
        return code, shown.out, shown.err

    # one thread: what is tiny only gets slower with more, above all on a busy machine
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    return call


@pytest.fixture(name="write_corpus", scope="session")
def _write_corpus() -> Callable[[Path, dict, dict[str, list[dict]]], Path]:
    """``write_corpus(folder, card, splits)`` writes a prepared corpus and returns its folder."""
    return write_corpus


@pytest.fixture(autouse=True)
def _no_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that downloads from anywhere but this machine."""
    opened = urllib.request.urlopen

    def guarded(request, *args, **kwargs):
        url = getattr(request, "full_url", request)
        assert url.startswith("http://127.0.0.1:"), f"a test downloads {url}"
        return opened(request, *args, **kwargs)

    monkeypatch.setattr(urllib.request, "urlopen", guarded)


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, bytes]], str]]:
    """``serve({"/a": b"…"})`` is the address of a server on loopback that has these files and no others.

    It breaks off before the last byte of a file whose name ends in "cut".
    """
    served: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            data = served.get(self.path)
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write((data or b"")[: -1 if self.path.endswith("cut") else None])

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def serving(files: dict[str, bytes]) -> str:
        served.update(files)
        return f"http://127.0.0.1:{server.server_port}"

    yield serving
    server.shutdown()
    server.server_close()


@pytest.fixture
def loaded(tmp_path: Path):
    """``loaded(recipe="paper")``: the grid of ``grids.TEXT`` with those lines in the place of its own."""

    def load(*overrides: str, **lines: str | None) -> Grid:
        text = [line for line in grids.TEXT.splitlines() if line.partition(":")[0] not in lines]
        text += [f"{key}: {value}" for key, value in lines.items() if value is not None]
        path = tmp_path / "g.yaml"
        path.write_text("\n".join(text) + "\n")
        return Grid.load(path, overrides=overrides)

    return load


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of its own on an S3 server on loopback: servers of one process hold the same ones."""
    from moto.server import ThreadedMotoServer
    from pyarrow.fs import S3FileSystem

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "of-a-test", "AWS_SECRET_ACCESS_KEY": "of-a-test",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1", "AWS_DEFAULT_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    made = S3FileSystem(allow_bucket_creation=True, endpoint_override=f"127.0.0.1:{port}", scheme="http")
    name = f"bucket-{uuid.uuid4().hex}"
    made.create_dir(name)
    yield f"s3://{name}/runs"
    server.stop()
