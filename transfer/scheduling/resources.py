"""The cores and the memory that this process may use: the machine's, a container's or a batch job's."""

from collections.abc import Iterator
from pathlib import Path

MACHINE, OWN_GROUPS, GROUPS = Path("/proc/meminfo"), Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
# of a control group, in the second version and in the first: its limit, what it has in use, and the name in
# memory.stat of that part of it which is only cached files
FILES = (
    ("", "memory.max", "memory.current", "inactive_file"),
    ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def cores() -> int:
    """CPU cores, at least 1: no more than the process's affinity and its container's quota allow."""
    from joblib import cpu_count  # a third of a second, needed only here

    return cpu_count()


def memory() -> tuple[float, float] | None:
    """GiB of memory in use and altogether; None where the system does not tell.

    Where this process's control group or one above it has a limit (Docker, Kubernetes, Slurm), these are the
    figures of the one with the least.
    """
    whole = _of_machine()
    if whole is None:
        return None
    used, total = min([whole, *_of_groups()], key=lambda found: found[1])
    return used / 2**30, total / 2**30


def _of_machine() -> tuple[int, int] | None:
    """Bytes in use and altogether."""
    try:
        lines = MACHINE.read_text().splitlines()
    except OSError:
        return None
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    total = kib["MemTotal"]
    return (total - kib.get("MemAvailable", kib["MemFree"])) * 1024, total * 1024


def _of_groups() -> Iterator[tuple[int, int]]:
    """Bytes in use and allowed: of this process's control group and of those above it that have a limit."""
    try:
        lines = OWN_GROUPS.read_text().splitlines()
    except OSError:
        return
    places = {controllers: path for _, controllers, path in (line.split(":", 2) for line in lines)}
    for controller, limit, usage, cached in FILES:
        if controller not in places:
            continue
        root = GROUPS / controller
        # within a container the path may be that of its host, and only the root is there
        own = root / places[controller].lstrip("/")
        for folder in (own, *own.parents):
            if not folder.is_relative_to(root):
                break
            try:
                most = int((folder / limit).read_text())
                used = int((folder / usage).read_text())
                stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            except (OSError, ValueError):  # not there, or "max": no limit
                continue
            yield used - int(stat.get(cached, 0)), most
