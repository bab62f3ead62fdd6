"""How a network is computed, which its weights know nothing of."""

from dataclasses import dataclass

from posec3d_jax.kernels.target import TARGETS


@dataclass(frozen=True)
class Mode:
    """Handed down to every layer.

    `groups` splits the batch into parts that BatchNorm normalises apart, `target` is what the
    kernels are written for, and with `remat` the backward pass computes the inside of each block
    again instead of storing it.
    """

    groups: int = 1
    target: str = "portable"
    remat: bool = False

    def __post_init__(self):
        if self.target not in TARGETS:
            raise ValueError(f"target is {self.target!r}; expected one of {TARGETS}")
