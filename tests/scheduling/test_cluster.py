"""Several raylets on this machine as the nodes of a cluster: a killed one costs nothing but time."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from transfer import __version__, corpora, encoders, expansion
from transfer.files import files_at
from transfer.grid import Grid
from transfer.learning.worker_data import Site
from transfer.scheduling.preflight import lacks
from transfer.store import Store

# jobs of a second or two, so that a kill meets some in the middle
LONGER = ["--set", "recipe.epochs=40", "--set", "seeds=1", "--set", "recipe.lr=0.001"]
COMMAND = "import os; os.cpu_count = lambda: 1\nfrom transfer.cli import main\nmain()"


def started(grid: Path, store: str, out: Path, *more: str) -> subprocess.Popen[str]:
    arguments = ["run-grid", str(grid), "--store", store, "--out", str(out), *LONGER, *more]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments, "--checkpoint-seconds", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=out.parent,  # Ray gives its workers the driver's folder to import from
    )


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head node without room for jobs, and whatever a test adds."""
    from ray.cluster_utils import Cluster

    import transfer.scheduling.cluster  # noqa: F401  (its environment: nothing is reported home)

    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": 100 * 2**20},
    )
    yield cluster
    cluster.shutdown()


def add(cluster: Any, **options: Any) -> Any:
    return cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20, **options)


def busy(store: str) -> set[int]:
    """The raylets whose workers hold a job now."""
    files, found = files_at(Path(store)), set()
    for name in files.names("claims"):
        if name.startswith("run."):
            continue
        with contextlib.suppress(FileNotFoundError, ValueError, OSError):
            pid = json.loads(files.read(f"claims/{name}"))["pid"]
            found.add(int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[-1].split()[1]))
    return found


def kill_a_busy_node(added: list[Any], store: str, process: subprocess.Popen[str]) -> None:
    raylets = {node.all_processes["raylet"][0].process.pid: node for node in added}
    end = time.monotonic() + 120
    while True:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "no node ever had a job"
        finished = files_at(Path(store)).names("jobs")
        if finished and (now := busy(store) & raylets.keys()):
            os.kill(now.pop(), signal.SIGKILL)
            return
        time.sleep(0.05)


def the_same(one: Store, other: Store, grid: Path) -> int:
    """Number of jobs, after asserting that both stores agree on each."""
    overrides = [part for part in LONGER if part != "--set"]
    record = one.get_grid(Grid.load(grid, overrides=overrides))
    results, undisturbed = one.results(record.jobs), other.results(record.jobs)
    assert results.keys() == undisturbed.keys() == {job.id for job in record.jobs}
    for id_, result in results.items():
        assert result.status == "done", result.error
        assert result.scores == undisturbed[id_].scores
        assert result.chosen_epoch == undisturbed[id_].chosen_epoch
        assert result.predictions == undisturbed[id_].predictions, "the same bytes"
    return len(results)


@pytest.fixture
def undisturbed(tiny_grid: Path, tmp_path: Path) -> Store:
    process = started(tiny_grid, str(tmp_path / "undisturbed"), tmp_path / "out", "--executor", "inline")
    _, err = process.communicate(timeout=250)
    assert process.returncode == 0, err
    return Store(tmp_path / "undisturbed")


@pytest.mark.slow
@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_a_killed_node_costs_nothing_but_time(
    request: pytest.FixtureRequest, tiny_grid: Path, undisturbed: Store, tmp_path: Path, where: str
):
    store = request.getfixturevalue("bucket") if where == "bucket" else str(tmp_path / "runs")
    nodes = request.getfixturevalue("nodes")
    added = [add(nodes) for _ in range(3)]
    process = started(tiny_grid, store, tmp_path / "reports", "--address", nodes.address)
    try:
        kill_a_busy_node(added, store, process)
        add(nodes)  # nodes may join, too
        out, err = process.communicate(timeout=250)
    finally:
        process.kill()
    assert process.returncode == 0, out + err
    assert the_same(Store(Path(store)), undisturbed, tiny_grid) == 7
    assert (tmp_path / "reports" / "tiny" / "report.md").is_file()
    files = files_at(Path(store))
    for folder in ("claims", "checkpoints", "tmp", "running"):
        assert files.names(folder) == [], folder


@pytest.mark.slow
def test_a_node_without_the_project_is_named_before_anything_runs(nodes, tiny_grid: Path, tmp_path: Path):
    stub = tmp_path / "elsewhere" / "transfer"
    stub.mkdir(parents=True)
    (stub / "__init__.py").write_text("__version__ = '0.0.1'\n")
    add(nodes)
    add(nodes, env_vars={"PYTHONPATH": str(stub.parent)})
    process = started(tiny_grid, str(tmp_path / "runs"), tmp_path / "out", "--address", nodes.address)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 2, out + err
    (told,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert "1 of the 3 nodes of the cluster cannot run these jobs" in told
    assert f"cannot import transfer {__version__}" in told
    assert "see docs/cluster.md" in told
    assert not (tmp_path / "runs" / "jobs").exists()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:1", "no Ray cluster can be joined there from this machine"),
        ("ray://127.0.0.1:10001", "as a Ray job (ray job submit -- transfer run-grid …)"),
        ("nonsense", "no Ray cluster can be joined there from this machine"),
    ],
)
def test_an_address_without_a_cluster_is_one_message(
    transfer, tiny_grid: Path, tmp_path: Path, address: str, said: str
):
    places = ["--store", tmp_path / "runs", "--out", tmp_path / "out"]
    code, _, err = transfer("run-grid", tiny_grid, *places, "--address", address)
    assert code == 2
    assert err.startswith(f"error: --address {address}: ")
    assert said in err
    assert len(err.splitlines()) == 1


@pytest.fixture
def seen(tiny_grid: Path, tmp_path: Path):
    """``seen(**change)``: what this machine lacks for a job of the tiny grid, after a change of the site."""
    grid = Grid.load(tiny_grid)
    loaded = corpora.load(str(grid.corpora), grid.tasks)
    files = encoders.locate(grid.encoder.name)
    jobs = expansion.jobs_of(
        grid, {c.name: c.fingerprint for c in loaded}, encoder_fingerprint=files.fingerprint
    )
    site = Site(store=tmp_path / "runs", corpora=str(grid.corpora), encoder=files.folder)
    Store(site.store).files.write("tmp/token", b"")

    def call(*, token: str = "tmp/token", version: str = __version__, **change: object) -> list[str]:
        return lacks(jobs[-1], site.model_copy(update=change), token=token, version=version)

    return call


def test_what_a_machine_lacks_is_named(seen, tmp_path: Path, tiny_corpora: Path):
    assert seen() == []
    assert seen(version="9.9") == [f"has transfer {__version__}, not 9.9"]
    assert seen(token="tmp/none") == [f"does not see the store {tmp_path / 'runs'}"]
    assert seen(store=tmp_path / "nowhere") == [f"does not see the store {tmp_path / 'nowhere'}"]
    assert seen(encoder=tmp_path) == [f"does not see the encoder {tmp_path}"]
    assert seen(corpora=str(tmp_path)) == [
        f"does not see the corpus '{name}' in {tmp_path}" for name in ("ner", "rel", "sim")
    ]
    fewer = seen(limits=dict.fromkeys(("ner", "sim"), corpora.Limit(train=5)))
    assert fewer == [f"has another '{name}' in {tiny_corpora}" for name in ("ner", "sim")]


@pytest.mark.slow
def test_the_commands_of_the_page(bucket: str, tiny_grid: Path, tmp_path: Path):
    """docs/cluster.md's commands but for addresses and folders: two raylets of this machine."""
    page = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text(encoding="utf-8")
    blocks = [part.partition("```")[0] for part in page.split("```sh\n")[1:]]
    assert len(blocks) == 2
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = "\n".join(blocks)
    for there, here in {
        "10.0.0.1": "127.0.0.1", "6379": str(port), "/shared": str(tmp_path), "=…": "=of-a-test",
        "https://minio.example.org": os.environ["AWS_ENDPOINT_URL"],
    }.items():  # fmt: skip
        assert there in script
        script = script.replace(there, here)
    shutil.copy(tiny_grid, tmp_path / "my_pairs.yaml")
    ray_files = tempfile.mkdtemp(prefix="ray-")  # its sockets need a short path
    head = f"""
ray() {{
  local more=()
  if [ "$1" = start ]; then more=(--num-cpus=1 --object-store-memory=100000000); fi
  if [[ " $* " == *" --head "* ]]; then more+=(--include-dashboard=false --temp-dir={ray_files}); fi
  {sys.executable} -m ray.scripts.scripts "$@" "${{more[@]}}"
}}
transfer() {{ {sys.executable} -c '{COMMAND}' "$@" --set seeds=1 --set recipe.epochs=1; }}
"""
    root = str(Path(__file__).parents[2])
    places = {"RAY_ADDRESS": f"127.0.0.1:{port}", "PYTHONPATH": root, "HOME": str(tmp_path)}
    try:
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", head + script],
            cwd=tmp_path, env=os.environ | places, capture_output=True, text=True, timeout=280,
        )  # fmt: skip
    finally:
        for process in psutil.process_iter(["cmdline"]):
            told = " ".join(process.info["cmdline"] or ())
            if f"127.0.0.1:{port}" in told or ray_files in told:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        shutil.rmtree(ray_files, ignore_errors=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(list((tmp_path / "runs" / "jobs").iterdir())) == 7
    assert ran.stdout.count("7 jobs, 0 done, 7 to run") == 2, "in the folder, then in the bucket"


@pytest.mark.slow
def test_a_model_is_kept_in_a_bucket_and_exported_from_there(
    bucket: str, transfer, tiny_grid, tmp_path: Path
):
    options = ["--set", "jobs=[single]", "--set", "seeds=1"]
    run = [
        "run-grid",
        tiny_grid,
        "--store",
        bucket,
        "--out",
        tmp_path / "out",
        "--executor",
        "inline",
        *options,
    ]
    assert transfer(*run)[0] == 0
    code, out, err = transfer(*run, "--set", "keep=models")
    assert (code, err) == (0, "")
    assert "3 jobs, 0 done, 3 to run" in out
    code, _, err = transfer(
        "models", "export", "refine nerr seed 0", "--store", bucket, "--to", tmp_path / "m"
    )
    assert (code, err.startswith(f"error: {bucket}: no job has the id or the label")) == (2, True), err
    code, _, err = transfer(
        "models", "export", "refine ner seed 0", "--store", bucket, "--to", tmp_path / "m"
    )
    assert code == 0, err
    (tmp_path / "new.jsonl").write_text('{"tokens": ["severe", "pain"]}\n')
    code, out, _ = transfer("models", "predict", tmp_path / "m", tmp_path / "new.jsonl")
    assert (code, out.count('"tags"')) == (0, 1)
