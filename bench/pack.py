"""Pack the finished jobs of some grids into one small file, or restore a store from it.

The file holds the grids' records, the results and every test prediction; ids and gold values are kept once
per corpus, and no text. A store restored from it gives the same report without corpora and torch.

    python bench/pack.py pack --store runs --to studies/results.tar.xz grids/studies/atlas.yaml
    python bench/pack.py restore studies/results.tar.xz --store restored
    transfer report grids/studies/atlas.yaml --store restored
"""

import argparse
import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from transfer.grid import Grid
from transfer.inputs import InputError
from transfer.records import GridRecord, result_of
from transfer.store import Store

ITEM = ["id", "doc", "gold"]


def pack(store: Store, grids: Sequence[str], to: Path) -> int:
    """Write the done jobs of the grids with these names to a file; returns the number of jobs.

    Raises InputError where the store has no record of a grid.
    """
    records = [record for record in store.grids() if record.grid.name in grids]
    for name in grids:
        if name not in {record.grid.name for record in records}:
            raise InputError(f"{store.place}: has no record of the grid '{name}'; run it first")
    results = {
        id_: result
        for record in records
        for id_, result in store.results(record.jobs).items()
        if result.status == "done"
    }
    members = {f"grids/{record.grid.id}.json": _shared(record) for record in records}
    for id_, result in results.items():
        # `Store.put` signs it anew: the checksum is of the file that the store had
        members[f"jobs/{id_}.json"] = result.model_copy(update={"checksum": ""}).model_dump_json().encode()
        members |= _predictions(store.predictions(id_, digest=result.predictions), id_)
    to.parent.mkdir(parents=True, exist_ok=True)
    # one job's predictions of a corpus resemble another's: side by side they compress well
    with tarfile.open(to, "w:xz", preset=9) as archive:
        for name, data in sorted(members.items()):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return len(results)


def _shared(record: GridRecord) -> bytes:
    """A grid's record without the folder of this machine that had the corpora."""
    kept = record.grid.corpora if record.grid.corpora == "synthetic" else None
    grid = record.grid.model_copy(update={"corpora": kept})
    return record.model_copy(update={"grid": grid}).model_dump_json(indent=1).encode()


def _predictions(frame: pd.DataFrame, job_id: str) -> dict[str, bytes]:
    """Members for one job: the items of each corpus under their hash, and the predictions for them."""
    members = {}
    for corpus, rows in frame.groupby("corpus", sort=False):
        items = json.dumps({column: rows[column].tolist() for column in ITEM}).encode()
        digest = hashlib.sha256(items).hexdigest()[:16]
        members[f"items/{corpus}/{digest}.json"] = items
        predicted = json.dumps(rows["predicted"].tolist()).encode()
        members[f"predicted/{corpus}/{digest}/{job_id}.json"] = predicted
    return members


def restore(source: Path, store: Store) -> int:
    """Put every job and grid of a packed file into a store; returns the number of jobs.

    A job that the store has already stays as it is.
    """
    with tarfile.open(source, "r:xz") as archive:
        members = {m.name: archive.extractfile(m).read() for m in archive if m.isfile()}  # type: ignore[union-attr]
    predicted: dict[str, dict[str, pd.DataFrame]] = {}
    for name, data in members.items():
        if name.startswith("predicted/"):
            _, corpus, digest, file = name.split("/")
            frame = pd.DataFrame(json.loads(members[f"items/{corpus}/{digest}.json"]))
            frame.insert(0, "corpus", corpus)
            frame["predicted"] = json.loads(data)
            predicted.setdefault(Path(file).stem, {})[corpus] = frame
    jobs = [name for name in members if name.startswith("jobs/")]
    for name in jobs:
        result = result_of(members[name], where=f"{source}: {name}")
        frames = predicted[result.id]
        store.put(result, predictions=pd.concat(frames.values(), ignore_index=True))
    for name, data in members.items():
        if name.startswith("grids/"):
            store.put_grid(GridRecord.model_validate_json(data))
    return len(jobs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack", help="write the finished jobs of grids to a file")
    packing.add_argument("grids", nargs="+", type=Path, help="the grids' YAML files")
    packing.add_argument("--to", required=True, type=Path)
    packing.add_argument("--store", required=True, type=Path)
    restoring = commands.add_parser("restore", help="put the jobs of a packed file into a store")
    restoring.add_argument("source", type=Path)
    restoring.add_argument("--store", required=True, type=Path)
    chosen = parser.parse_args()
    if chosen.command == "pack":
        count = pack(Store(chosen.store), [Grid.load(path).name for path in chosen.grids], chosen.to)
        print(f"{count} jobs, {chosen.to.stat().st_size / 1e6:.1f} MB: {chosen.to}")
    else:
        print(f"{restore(chosen.source, Store(chosen.store))} jobs: {chosen.store}")


if __name__ == "__main__":
    main()
