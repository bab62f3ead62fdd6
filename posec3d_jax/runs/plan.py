"""How long a run is: the config's epochs in steps of its data set."""

from collections.abc import Iterator
from dataclasses import dataclass

from posec3d_jax.data.feed.pipeline import steps_per_epoch
from posec3d_jax.data.stored.sources import Source


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

    def dispatches(self, start: int, most: int) -> Iterator[int]:
        """How many steps each call to the device takes from `start` on: `most`, or one.

        A call ends at the next step that something is done after. Where `most` would lead beyond
        it, single steps lead up to it: two compiled programs serve any plan.
        """
        while start < self.total:
            last = min(start + most, self.total)
            free = not any(map(self._pauses_after, range(start + 1, last)))
            size = most if free and last == start + most else 1
            yield size
            start += size

    def _pauses_after(self, step: int) -> bool:
        return self.logs_after(step) or self.saves_after(step)


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
