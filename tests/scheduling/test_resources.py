"""Cores and memory that a process may use within the limits of a container or a batch job."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from transfer.scheduling import execution, resources

GIB = 2**30


class System:
    """Files (fakes) in which Linux tells of memory: a machine of 64 GiB, 10 of them in use."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.own, self.groups = folder / "cgroup", folder / "groups"
        machine = folder / "meminfo"
        machine.write_text(f"MemTotal: {64 * 2**20} kB\nMemFree: 1 kB\nMemAvailable: {54 * 2**20} kB\n")
        monkeypatch.setattr(resources, "MACHINE", machine)
        monkeypatch.setattr(resources, "OWN_GROUPS", self.own)
        monkeypatch.setattr(resources, "GROUPS", self.groups)

    def within(self, *lines: str) -> None:
        self.own.write_text("".join(f"{line}\n" for line in lines))

    def write(self, group: str, **texts: object) -> None:
        (self.groups / group).mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (self.groups / group / name.replace("__", ".")).write_text(f"{text}\n")

    def second(self, group: str, most: object, *, used: int = 5 * GIB) -> None:
        self.write(group, memory__max=most, memory__current=used, memory__stat=f"anon 7\ninactive_file {GIB}")

    def first(self, group: str, most: int, *, used: int = 5 * GIB) -> None:
        stat = f"cache 7\ninactive_file 9\ntotal_inactive_file {GIB}"
        names = {"memory__limit_in_bytes": most, "memory__usage_in_bytes": used, "memory__stat": stat}
        self.write("memory" + group, **names)


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    return System(tmp_path, monkeypatch)


def test_without_control_groups_it_is_the_machines_memory(system: System):
    assert resources.memory() == pytest.approx((10, 64))


def test_without_any_file_nothing_is_known(system: System, monkeypatch, tmp_path: Path):
    monkeypatch.setattr(resources, "MACHINE", tmp_path / "none")
    assert resources.memory() is None


def test_a_container_that_sees_only_its_own_root(system: System):
    system.within("0::/")
    system.second("", 8 * GIB)
    assert resources.memory() == pytest.approx((4, 8))


def test_a_batch_jobs_limit_stands_above_its_steps(system: System):
    system.within("0::/slurm/job_7/step_0/task_0")
    system.second("slurm/job_7", 16 * GIB)
    for group in ("slurm", "slurm/job_7/step_0", "slurm/job_7/step_0/task_0"):
        system.second(group, "max")
    assert resources.memory() == pytest.approx((4, 16))


def test_control_groups_of_the_first_version(system: System):
    system.within("9:name=systemd:/", "4:memory:/docker/ab", "1:cpu,cpuacct:/docker/ab", "0::/")
    system.first("", 9223372036854771712)
    system.first("/docker/ab", 4 * GIB)
    assert resources.memory() == pytest.approx((4, 4))


def test_a_container_whose_path_is_its_hosts(system: System):
    system.within("4:memory:/docker/ab")
    system.first("", 4 * GIB)
    assert resources.memory() == pytest.approx((4, 4))


def test_no_limit_or_one_beyond_the_machine_leaves_the_machines(system: System):
    system.within("0::/user", "4:memory:/user")
    system.second("user", "max")
    system.first("/user", 9223372036854771712)
    assert resources.memory() == pytest.approx((10, 64))


def test_workers_fit_into_a_containers_memory(system: System, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resources, "cores", lambda: 32)
    assert execution.workers_that_fit(0.0) == 21
    system.within("0::/")
    system.second("", 8 * GIB)
    assert execution.workers_that_fit(0.0) == 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity to cores")
def test_cores_are_those_that_the_process_may_use():
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]);"
        "from transfer.scheduling.resources import cores; print(cores())"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "1"
