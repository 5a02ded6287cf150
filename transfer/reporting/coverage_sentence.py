"""The sentence of a report that names the sources of variation behind its intervals."""

from transfer.analysis.study import Study


def covered(found: Study) -> str:
    """The sources of variation that the intervals cover."""
    if not found.pools:
        return (
            "Intervals cover two sources of variation, seeds and test items. All seeds train on the same "
            "examples, so no interval covers the choice of the training set."
        )
    sizes = dict(zip(found.corpora["name"], found.corpora["train"].astype(int), strict=True))
    drawn = ", ".join(f"{name} {sizes[name]:,} of {pool:,}" for name, pool in found.pools.items())
    told = (
        "Intervals cover three sources of variation, seeds, test items and training samples: each seed draws "
        f"its own training examples ({drawn}), the same ones for both arms of a gain."
    )
    fixed = [name for name in found.order if name not in found.pools]
    return told + (f" The training sets of {', '.join(fixed)} are fixed and not covered." if fixed else "")
