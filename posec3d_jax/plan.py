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

    def logs_after(self, step: int) -> bool:
        """Whether metrics are written after this step, counted from 1."""
        return step % self.log_every == 0 or step == self.total

    def validates_after(self, step: int) -> bool:
        """Whether the validation split is tested after this step, if there is one."""
        return step % self.validate_every == 0 or step == self.total

    def saves_after(self, step: int) -> bool:
        """Whether a checkpoint is written after this step: also before each validation."""
        return step % self.checkpoint_every == 0 or self.validates_after(step)


def make_plan(config, source: Source) -> Plan:
    """Epochs of the config, counted in steps of this data set."""
    train, data = config.train, config.data
    per_epoch = steps_per_epoch(source, train.batch_size, data.repeat, data.class_weights)
    total = per_epoch * train.epochs
    return Plan(
        per_epoch=per_epoch,
        total=total,
        log_every=train.log_every,
        validate_every=per_epoch * train.validate_every if data.val_split else total,
        checkpoint_every=per_epoch * train.checkpoint_every,
    )
