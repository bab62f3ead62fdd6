"""One key of a config: its default, what it may be, what it means, and what depends on it."""

from dataclasses import dataclass
from typing import Any, Literal

from posec3d_jax.config.values import Values

Decides = Literal["training", "tests", "training and tests", "nothing"]
TRAINING, TESTS, BOTH, NOTHING = "training", "tests", "training and tests", "nothing"
COUNT, SIZE, SEED = (1, 1_000_000), (1, 4096), (0, 2**32 - 1)

ALWAYS = "every run has it"  # of `Key.earlier`


@dataclass(frozen=True)
class Key:
    """A key that every config has (or, of `model`, those of one network)."""

    name: str  # dotted: 'train.epochs'
    default: Any
    values: Values
    # Whose numbers: 'training' has the updates and the validation in between; 'tests' what
    # `evaluate` and `predict` say of a trained network. What decides 'nothing' may differ anywhere.
    decides: Decides
    meaning: str
    earlier: Any = ALWAYS  # what runs did that were stored before there was such a key
