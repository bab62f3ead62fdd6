"""What is wanted of a recorded clip: frames of each modality."""

from collections.abc import Mapping
from dataclasses import dataclass

MODALITIES = ("rgb", "pose")  # in the order in which frames are drawn of them


@dataclass(frozen=True)
class Needs:
    """Of one modality; the others are sampled for themselves."""

    frames: int  # of a clip
    following: bool = False  # also the frame after each of them, for motion
    whole: bool = False  # every frame instead, once; the last is repeated to the longest clip's

    def __post_init__(self):
        if self.frames < 1:
            raise ValueError(f"{self.frames} frames of a clip are wanted; expected at least 1")


AllNeeds = Mapping[str, Needs]  # by modality
