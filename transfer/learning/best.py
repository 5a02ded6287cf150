"""The epochs that dev chose so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

# the key of the mean over corpora: which epoch's encoder a child job starts from
MEAN = ""


@dataclass
class Best:
    """For each corpus (and for their mean) the epoch with the best dev score, and its weights."""

    epoch: dict[str, int] = field(default_factory=dict)
    score: dict[str, float] = field(default_factory=dict)
    weights: dict[int, dict[str, Tensor]] = field(default_factory=dict)

    def improve(self, model: nn.Module, dev: Mapping[str, float], epoch: int) -> None:
        """Takes the epoch where it is better, with a copy of its weights; of equals the earliest stays."""
        dev = {**dev, MEAN: sum(dev.values()) / len(dev)}
        better = [name for name, value in dev.items() if value > self.score.get(name, float("-inf"))]
        for name in better:
            self.epoch[name], self.score[name] = epoch, dev[name]
        if better:
            self.weights[epoch] = {name: w.detach().clone() for name, w in model.state_dict().items()}
        self.weights = {e: w for e, w in self.weights.items() if e in self.epoch.values()}
