"""Everything that training changes, as one tree."""

from typing import Any

import flax.struct
import jax

Tree = Any


@flax.struct.dataclass
class TrainState:
    """Everything that training changes."""

    step: jax.Array
    params: Tree
    batch_stats: Tree
    opt_state: Tree
    averaged: Tree | None = None  # the moving mean of the two trees above, where one is kept

    @property
    def tested(self) -> dict[str, Tree]:
        """The variables of validations, tests and predictions: the mean, where one is kept."""
        return self.averaged or {"params": self.params, "batch_stats": self.batch_stats}
