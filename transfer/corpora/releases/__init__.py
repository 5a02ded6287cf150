"""The corpora that are made from their official releases: one module a release, one line here."""

from collections.abc import Mapping

from transfer.corpora.releases import (
    ade,
    bc5cdr,
    bionlp13cg,
    biosses,
    chemprot,
    clinicalsts,
    ddi2013,
    hoc,
    i2b2_2010,
    maccrobat,
    marked_relations,
    mednli,
    nli4ct,
    pubmedqa,
    rqe,
    shareclefe,
    sick,
    stsb,
)
from transfer.corpora.releases.base import Reading, Release, Watch, unwatched

RELEASES: Mapping[str, Release] = {
    release.name: release
    for module in (
        ade,
        bc5cdr,
        bionlp13cg,
        biosses,
        chemprot,
        clinicalsts,
        ddi2013,
        hoc,
        i2b2_2010,
        maccrobat,
        marked_relations,
        mednli,
        nli4ct,
        pubmedqa,
        rqe,
        shareclefe,
        sick,
        stsb,
    )
    for release in module.RELEASES
}

__all__ = ["RELEASES", "Reading", "Release", "Watch", "unwatched"]
