"""How long a run is: the config's epochs in steps of its data set."""

from dataclasses import dataclass

from posec3d_jax.data.pipeline import steps_per_epoch
from posec3d_jax.data.sources import Source


@dataclass(frozen=True)
class Plan:
    """How long a run is, in steps."""

    per_epoch: int
    total: int
    log_every: int
    validate_every: int
    checkpoint_every: int


def make_plan(config, source: Source) -> Plan:
    """Epochs of the config, counted in steps of this data set."""
    train, data = config.train, config.data
    per_epoch = steps_per_epoch(source, train.batch_size, data.repeat, data.class_weights)
    return Plan(
        per_epoch=per_epoch,
        total=per_epoch * train.epochs,
        log_every=train.log_every,
        validate_every=per_epoch * train.validate_every,
        checkpoint_every=per_epoch * train.checkpoint_every,
    )
