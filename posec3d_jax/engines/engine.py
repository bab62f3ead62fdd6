"""What all engines offer, and how many clips they take at once."""

from typing import Protocol

import numpy as np

from posec3d_jax.data.feed.gathering import Batch
from posec3d_jax.skeletons.needs import AllNeeds
from posec3d_jax.skeletons.skeleton import Skeleton
from posec3d_jax.steps.protocol import Protocol as TestProtocol


class Engine(Protocol):
    """A loaded network: a batch of clips in, probabilities out."""

    skeleton: Skeleton  # the joints that clips have
    needs: AllNeeds  # frames of each modality that a batch must hold
    protocol: TestProtocol  # which views of a clip are averaged
    draws: bool  # whether `volume` can be asked for

    def scores(self, batch: Batch) -> np.ndarray:
        """Probabilities float32 [B, K] of the clips of a batch, see `data.feed.pipeline`."""

    def volume(self, batch: Batch) -> np.ndarray:
        """The heatmap volumes float32 [B, T, H, W, C] of their first views.

        Raises ValueError for a network that is shown something else, or only gives labels.
        """
