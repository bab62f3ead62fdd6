"""Test protocols: how many clips of a sample, and whether each is also seen mirrored."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Protocol:
    """`clips` samples in time, each also mirrored if `flip`; scores are averaged over all views."""

    clips: int
    flip: bool

    @property
    def views(self) -> int:
        return self.clips * (1 + self.flip)

    @property
    def name(self) -> str:
        clips = f"{self.clips} clip" + "s" * (self.clips > 1)
        return clips + " x flip" * self.flip


ONE_CLIP = Protocol(clips=1, flip=False)


def protocols(config) -> tuple[Protocol, Protocol]:
    """The two that are always reported: one clip, and the recipe's many, mirrored or not."""
    sampling = config.sampling
    return ONE_CLIP, Protocol(clips=sampling.test_clips, flip=sampling.test_flip)
