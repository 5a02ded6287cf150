"""The epochs that dev chose so far."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

# the key of the mean over corpora: which epoch's encoder a child job starts from
MEAN = ""


@dataclass
class Best:
    """The epoch with the best dev score of each corpus and of their mean, with its weights.

    An undefined score (NaN) never beats a defined one; where all are undefined the last epoch is chosen.
    """

    epoch: dict[str, int] = field(default_factory=dict)
    score: dict[str, float] = field(default_factory=dict)
    weights: dict[int, dict[str, Tensor]] = field(default_factory=dict)
    defined: int = 0  # of how many corpora the score was defined in the epoch of the best mean

    def improve(self, model: nn.Module, dev: Mapping[str, float], epoch: int) -> None:
        """Take the epoch where it is better, with a copy of its weights; of equals the earliest stays.

        The mean is over the corpora whose score is defined; an epoch in which more of them are is better.
        """
        defined = [value for value in dev.values() if not math.isnan(value)]
        dev = {**dev, MEAN: sum(defined) / len(defined) if defined else math.nan}
        better = [name for name, value in dev.items() if self._is_better(name, value)]
        if len(defined) != self.defined:  # a mean of other corpora is no better or worse, it is another one
            better = [name for name in better if name != MEAN]
            better += [MEAN] if len(defined) > self.defined else []
        self.defined = max(self.defined, len(defined))
        for name in better:
            self.epoch[name], self.score[name] = epoch, dev[name]
        if better:
            self.weights[epoch] = {name: w.detach().clone() for name, w in model.state_dict().items()}
        self.weights = {e: w for e, w in self.weights.items() if e in self.epoch.values()}

    def _is_better(self, name: str, value: float) -> bool:
        before = self.score.get(name, math.nan)
        return value > before if not math.isnan(before) else True
