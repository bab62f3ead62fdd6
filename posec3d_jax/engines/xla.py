"""A run's network under XLA: drawing and network are one program, compiled at the first clip."""

from typing import Any

import jax
import numpy as np

from posec3d_jax.data.feed.gathering import Batch
from posec3d_jax.encoders import make_encoder
from posec3d_jax.encoders.turning import with_turning
from posec3d_jax.machine import host
from posec3d_jax.skeletons.needs import AllNeeds
from posec3d_jax.skeletons.skeleton import Skeleton
from posec3d_jax.steps.protocol import ONE_CLIP, Protocol
from posec3d_jax.steps.recognizer import make_eval_step, make_recognizer


class XlaEngine:
    """See `Engine`. The first batch of each size compiles, which takes seconds; no other does."""

    def __init__(self, config, variables: Any, protocol: Protocol = ONE_CLIP):
        """`variables` {'params', 'batch_stats'} of the config's network."""
        clean, self.protocol = _undamaged(config), protocol
        self._recognizer = make_recognizer(clean)
        self._variables = jax.jit(self._recognizer.fold)(variables)
        self.draws, self._encoder = config.encoder == "volume", config.encoder
        drawing, _ = with_turning(lambda seen: make_encoder(clean, seen, "portable"), clean)
        self._draw = jax.jit(lambda batch: drawing.test(batch, protocol.clips, False)[:, 0])
        step = make_eval_step(self._recognizer, protocol.clips, protocol.flip)
        self._step = jax.jit(step, compiler_options=host.compiler_options())

    @property
    def skeleton(self) -> Skeleton:
        return self._recognizer.skeleton

    @property
    def needs(self) -> AllNeeds:
        return self._recognizer.encoder.needs

    @property
    def programs(self) -> int:
        """How many were compiled to give scores."""
        return self._step._cache_size()

    def scores(self, batch: Batch) -> np.ndarray:
        return np.asarray(self._step(self._variables, batch)["scores"])

    def volume(self, batch: Batch) -> np.ndarray:
        if not self.draws:
            raise ValueError(f"encoder {self._encoder!r} draws no volumes")
        return np.asarray(self._draw(batch))


def _undamaged(config):
    """The config without its test noise, which is for studies and not for anybody's clips."""
    config = config.copy_and_resolve_references()
    config.noise.in_test = False
    return config
