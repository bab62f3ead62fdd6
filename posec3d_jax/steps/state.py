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
