"""Nothing executable comes from data, names that become paths are checked, nothing calls outside."""

import ast
import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from pydantic import ValidationError

import transfer
from transfer.corpora.base import Card
from transfer.grid import Grid
from transfer.inputs import InputError, read_yaml
from transfer.jobs import Trained

PACKAGE = Path(transfer.__file__).parent
# what turns data into code, by the name it is called with
FORBIDDEN = {
    "pickle.load", "pickle.loads", "torch.load", "joblib.load", "dill.load", "marshal.loads", "shelve.open",
    "yaml.load", "yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "eval", "exec", "compile",
    "os.system", "pd.read_pickle", "pandas.read_pickle", "np.load", "numpy.load", "cloudpickle.load",
    "cloudpickle.loads",
}  # fmt: skip


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def only_weights(path: Path, node: ast.Call) -> bool:
    """The one place where old weights are read: tensors alone are built, anything else is an error."""
    said = {keyword.arg: keyword.value for keyword in node.keywords}.get("weights_only")
    told = isinstance(said, ast.Constant) and said.value is True
    return told and dotted(node.func) == "torch.load" and path == PACKAGE / "learning" / "convert.py"


def test_no_code_of_the_project_executes_data():
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                if dotted(node.func) in FORBIDDEN and not only_weights(path, node):
                    found.append(f"{path.name}:{node.lineno} {dotted(node.func)}")
                for keyword in node.keywords:
                    if keyword.arg == "trust_remote_code" or (keyword.arg == "shell"):
                        found.append(f"{path.name}:{node.lineno} {keyword.arg}")
    assert found == []


def test_pickled_weights_are_refused(transfer, tiny_grid: Path, tiny_encoder: Path, tmp_path: Path):
    """A pickle in the encoder's folder that would make a file is not opened, whatever it is called."""
    import json
    import shutil

    class Trap:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'sprung'}",)

    encoder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    (encoder / "model.safetensors").unlink()
    torch.save(Trap(), encoder / "pytorch_model.bin")
    tiny_grid.write_text(json.dumps({**json.loads(tiny_grid.read_text()), "encoder": str(encoder)}))
    code, _, err = transfer("plan", tiny_grid)
    assert code == 2
    assert "pickled weights are not loaded" in err
    shutil.copy(encoder / "pytorch_model.bin", encoder / "model.safetensors")
    code, _, err = transfer(
        "run-grid", tiny_grid, "--executor", "inline", "--store", tmp_path / "runs", "--out", tmp_path / "out"
    )
    assert code != 0
    assert not (tmp_path / "sprung").exists()


def test_yaml_makes_no_objects(tmp_path: Path):
    path = tmp_path / "g.yaml"
    path.write_text(f"name: !!python/object/apply:os.system ['touch {tmp_path / 'sprung'}']\n")
    with pytest.raises(InputError, match=r"line 1: not valid YAML"):
        read_yaml(path)
    assert not (tmp_path / "sprung").exists()


NO_NAMES = [
    "..", ".", "", " ", "../x", "a/b", "/etc/passwd", "a\x00b", ".hidden", "-rf", "a" * 65, "a\n", "\n", "é",
    "a b", "C:\\x", "a\\b", "~", "$HOME", "*", "a;b", "con\u0000", "a\u202eb",
]  # fmt: skip


@pytest.mark.parametrize("name", NO_NAMES, ids=ascii)
def test_names_that_become_paths_are_checked(name: str, tmp_path: Path):
    card = {"name": name, "kind": "classification", "metric": "accuracy", "labels": ["x", "y"]}
    with pytest.raises(ValidationError):
        Card.model_validate(card)
    with pytest.raises(ValidationError):
        Trained(name=name, fingerprint="f")
    path = tmp_path / "g.yaml"
    grid = {"name": name, "tasks": ["a"], "encoder": "e", "recipe": "quick", "seeds": 1}
    for broken in (grid, {**grid, "name": "g", "tasks": [name]}):
        path.write_text(yaml.safe_dump(broken))
        with pytest.raises(InputError):
            Grid.load(path)


def listening(pids: set[int]) -> list[str]:
    """The addresses that processes listen at for TCP."""
    inodes = set()
    for pid in pids:
        links = []
        with contextlib.suppress(OSError):  # over since it was seen
            links = os.listdir(f"/proc/{pid}/fd")
        for link in links:
            with contextlib.suppress(OSError):
                target = os.readlink(f"/proc/{pid}/fd/{link}")
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
    found = []
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                words = bytes.fromhex(fields[1].partition(":")[0])
                raw = b"".join(words[i : i + 4][::-1] for i in range(0, len(words), 4))
                found.append(socket.inet_ntop(family, raw))
    return found


def test_on_one_machine_ray_listens_on_loopback_only(tiny_grid: Path, tmp_path: Path):
    from tests.test_resume import command, done, family, wait_until

    process = subprocess.Popen(
        command(tiny_grid, tmp_path),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    everyone: set[int] = {process.pid}
    addresses: set[str] = set()

    def ended() -> bool:
        # all along: a grid this small may be over within a second of its first job
        everyone.update(family(process.pid))
        addresses.update(listening(everyone))
        return process.poll() is not None

    try:
        assert wait_until(ended, 240)
        assert done(tmp_path), "jobs ran"
        assert addresses, "Ray listens somewhere"
        loopback = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
        assert addresses <= loopback, sorted(addresses - loopback)
    finally:
        for pid in everyone:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def test_what_could_phone_home_is_off():
    shown = subprocess.run(
        [
            sys.executable,
            "-c",
            "import transfer.scheduling.cluster, os\n"
            "from ray._common.usage import usage_lib\n"
            "print(os.environ['RAY_USAGE_STATS_ENABLED'], usage_lib.usage_stats_enabled())",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert shown.stdout.split() == ["0", "False"]


OFFLINE = """
import socket, sys
def refuse(self, address, *_):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "localhost", "::1"):
        raise SystemExit(f"calls {address}")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = lambda host, *_, **__: (_ for _ in ()).throw(SystemExit(f"asks for {host}"))
from transfer.cli import main
main()
"""


def test_an_inline_run_calls_nobody(tiny_grid: Path, tmp_path: Path):
    places = ["--store", tmp_path / "runs", "--out", tmp_path / "out"]
    small = ["--set", "seeds=1", "--set", "jobs=[single]", "--set", "tasks=[rel]"]
    command = ["run-grid", tiny_grid, "--executor", "inline", *places, *small]
    shown = subprocess.run(
        [sys.executable, "-c", OFFLINE, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
