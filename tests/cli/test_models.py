"""``export`` and ``predict`` as a person types them: what a job is called, and what is said of mistakes."""

import json
import shutil
from pathlib import Path

import pytest

from transfer.grid import Grid
from transfer.learning.export.write import export
from transfer.learning.run import run
from transfer.learning.worker_data import Site
from transfer.store import Store


@pytest.fixture(scope="module")
def kept(tiny_run, tmp_path_factory, tiny_corpora: Path, tiny_encoder: Path):
    """The store of the tiny grid with the model of ``refine ner+rel seed 0`` kept, and its jobs by label."""
    folder = tmp_path_factory.mktemp("kept")
    shutil.copytree(tiny_run.store, folder / "runs")
    store = Store(folder / "runs")
    jobs = {job.label: job for job in store.get_grid(Grid.load(tiny_run.grid)).jobs}
    job = jobs["refine ner+rel seed 0"]
    run(
        job, Site(store=store.root, corpora=str(tiny_corpora), encoder=tiny_encoder, keep=frozenset([job.id]))
    )
    export(store, job.id, to=folder / "m")
    return store, jobs


def test_jobs_are_found_by_label_id_and_beginning(kept, transfer, tmp_path: Path):
    store, jobs = kept
    job = jobs["refine ner+rel seed 0"]
    for i, said in enumerate((job.label, job.id, job.id[:7])):
        code, out, err = transfer("models", "export", said, "--store", store.root, "--to", tmp_path / f"m{i}")
        assert code == 0, err
        assert f"{tmp_path}/m{i}/rel: rel, test micro_f1 " in out
        assert "caution: ner: no licence is known" in err
        assert json.loads((tmp_path / f"m{i}" / "rel" / "transfer.json").read_text())["job"] == job.id
    code, out, err = transfer(
        "models", "export", job.id, "--task", "ner", "--store", store.root, "--to", tmp_path / "m"
    )
    assert code == 0, err
    assert out.splitlines()[-1] == f"next: transfer models predict {tmp_path}/m FILE"


def test_what_is_wrong_with_a_job_is_said(kept, transfer, tmp_path: Path):
    store, jobs = kept
    job, other = jobs["refine ner+rel seed 0"], jobs["refine sim seed 1"]
    to = ["--store", store.root, "--to", tmp_path / "m"]

    def message(*arguments) -> str:
        code, out, err = transfer("models", "export", *arguments, *to)
        assert (code, out) == (2, "")
        assert len(err.splitlines()) == 1
        return err

    assert "no job has the id or the label 'feed'; 'transfer plan GRID' shows ids and labels" in message(
        "feed"
    )
    assert "did you mean 'refine ner+rel seed 0'?" in message("refine ner+rle seed 0")
    assert """was not kept; GRID being the file of the grid 'tiny'""" in message(other.id)
    assert f"""--set 'keep=["{other.id}"]'""" in message(other.id)
    assert f"the job {job.id} has no task 'rle'; did you mean 'rel'?" in message(job.id, "--task", "rle")
    assert not (tmp_path / "m").exists()


@pytest.fixture
def rel(kept) -> Path:
    return kept[0].root.parent / "m" / "rel"


def test_texts_without_labels_from_a_table(rel: Path, transfer, tmp_path: Path):
    (tmp_path / "new.csv").write_text(
        "sentence,other\nthe aspirin treats pain,1\nthe codeine causes pain,2\n"
    )
    code, out, err = transfer("models", "predict", rel, tmp_path / "new.csv", "--text", "sentence")
    assert (code, err) == (0, "")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["id"] for row in rows] == ["new-1", "new-2"]
    assert {row["label"] for row in rows} <= {"good", "bad", "none"}
    code, said, _ = transfer(
        "models", "predict", rel, tmp_path / "new.csv", "--text", "sentence", "--to", tmp_path / "o.jsonl"
    )
    assert (code, said) == (0, f"wrote 2 lines to {tmp_path}/o.jsonl\n")
    assert (tmp_path / "o.jsonl").read_text() == out
    code, said, err = transfer(
        "models", "predict", rel, tmp_path / "new.csv", "--text", "sentence", "--to", tmp_path / "o.jsonl"
    )
    assert (code, said) == (2, "")
    assert "exists already; nothing was written" in err


def test_labels_that_a_file_has_are_not_looked_at(rel: Path, transfer, tmp_path: Path):
    (tmp_path / "a.jsonl").write_text('{"id": "1", "text": "aspirin treats pain", "label": "unheard of"}\n')
    (tmp_path / "b.jsonl").write_text('{"id": "1", "text": "aspirin treats pain"}\n')
    (code, one, _), (_, other, _) = (
        transfer("models", "predict", rel, tmp_path / name) for name in ("a.jsonl", "b.jsonl")
    )
    assert code == 0
    assert one == other


def test_texts_that_the_model_does_not_read_to_their_end_are_counted(rel: Path, transfer, tmp_path: Path):
    # 126 words of one piece each, [CLS] and [SEP] are just what the recipe's 128 let in
    (tmp_path / "new.txt").write_text("\n".join("pain " * words for words in (126, 127, 1, 300)))
    code, out, err = transfer("models", "predict", rel, tmp_path / "new.txt")
    assert code == 0
    assert len(out.splitlines()) == 4
    assert "2 of 4 texts have more than 128 subword tokens" in " ".join(err.split())


def test_one_answer_for_each_text_of_every_layout(rel: Path, transfer, tmp_path: Path):
    """A real tagger, on the same two sentences in each layout that it reads."""
    (tmp_path / "a.txt").write_text("severe pain .\nno fever\n")
    (tmp_path / "b.txt").write_text("severe\npain\n.\n\nno\nfever\n")
    (tmp_path / "c.conll").write_text("severe\tO\npain\tO\n.\tO\n\nno\tO\nfever\tO\n")
    (tmp_path / "d.jsonl").write_text('{"tokens": ["severe", "pain", "."]}\n{"tokens": ["no", "fever"]}\n')
    (tmp_path / "e.csv").write_text("text\nsevere pain .\nno fever\n")
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "note.txt").write_text("severe pain .\nno fever\n")
    found = []
    for name in ("a.txt", "b.txt", "c.conll", "d.jsonl", "e.csv", "f"):
        code, out, err = transfer("models", "predict", rel.parent / "ner", tmp_path / name)
        assert code == 0, err
        rows = [json.loads(line) for line in out.splitlines()]
        found.append([(row["tokens"], row["tags"]) for row in rows])
    assert [len(tags) for _, tags in found[0]] == [3, 2]
    assert all(each == found[0] for each in found)


def test_tokens_from_conll_columns(rel: Path, transfer, tmp_path: Path):
    (tmp_path / "new.conll").write_text("severe\t-\npain\t-\n\nhead\t-\n".replace("-", "O"))
    code, out, err = transfer("models", "predict", rel.parent / "ner", tmp_path / "new.conll")
    assert (code, err) == (0, "")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["tokens"] for row in rows] == [["severe", "pain"], ["head"]]
    assert [len(row["tags"]) for row in rows] == [2, 1]


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        (
            "a.csv",
            "txt,label\nx,y\n",
            "a.csv line 1: there is no column 'text'; --text names another; did you mean 'txt'",
        ),
        (
            "a.jsonl",
            '{"id": "1", "txt": "x"}\n',
            "a.jsonl line 1: the key 'text' is missing; did you mean 'txt'",
        ),
        ("a.jsonl", '{"id": "1", "text": ""}\n', "should hold a text, not nothing"),
        (
            "a.jsonl",
            '{"text": "x"}\n{"text": 3}\n',
            "a.jsonl line 2: the column 'text' should hold a text, not 3",
        ),
        ("a.jsonl", "", "a.jsonl: holds no text"),
        ("a.jsonl", "{", "a.jsonl line 1: not valid JSON"),
        ("a.docx", "x", "unknown kind of file '.docx'"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    rel: Path, transfer, tmp_path: Path, name: str, text: str, what: str
):
    (tmp_path / name).write_text(text)
    code, out, err = transfer("models", "predict", rel, tmp_path / name)
    assert (code, out) == (2, "")
    assert what in err


def test_a_folder_of_several_models_names_them(rel: Path, transfer, tmp_path: Path):
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n')
    code, _, err = transfer("models", "predict", rel.parent, tmp_path / "a.jsonl")
    assert code == 2
    assert f"holds the models of 2 tasks; name one: {rel.parent}/ner" in err
