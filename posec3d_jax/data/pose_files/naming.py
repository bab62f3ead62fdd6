"""What names say: which frame a file is, and which joint a column is."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posec3d_jax.files.arrays import BadSample, brief

_LAST_NUMBER = re.compile(r"^(.*?)(\d+)(\D*)$", re.DOTALL)


def frame_number(name: object) -> int:
    """The last number in a name: 'clip_000012_keypoints' and '12.jpg' are frame 12."""
    if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < 1 << 53:
        return name
    found = _LAST_NUMBER.match(Path(name).stem) if isinstance(name, str) else None
    if found is None or len(found[2]) > 15:
        message = f"{brief(name)} has no frame number in it"
        raise BadSample("bad_frame_number", message)
    return int(found[2])


def numbered_files(folder: Path, pattern: str) -> dict[int, Path]:
    """The files of a folder by the last number of their names, which must otherwise be equal."""
    files = sorted(file for file in folder.glob(pattern) if file.is_file())
    if not files:
        raise BadSample("no_frames", f"no files {pattern!r} in it")
    numbered, others = {}, {}
    for file in files:
        number = frame_number(file.name)
        before, _, after = _LAST_NUMBER.match(file.stem).groups()
        others.setdefault((before, after), file.name)
        if number in numbered:
            others[number] = file.name
        numbered[number] = file
    if len(others) > 1:
        names = ", ".join(map(repr, list(others.values())[:2]))
        message = f"frames of several videos lie in it ({names}); give each video its own folder"
        raise BadSample("several_videos", message)
    return numbered


def joint_index(joints: Sequence[str], target: Sequence[str]) -> np.ndarray:
    """For every joint of `target` its place in `joints`, by name, -1 without; int [V of target].

    Case, spaces, dashes and the order of words do not count: 'Mouth-Left' is 'left_mouth'.

    Raises:
      ValueError: no name in common.
    """
    position = {_words(name): i for i, name in enumerate(joints)}
    index = np.array([position.get(_words(name), -1) for name in target], np.int64)
    if (index < 0).all():
        raise ValueError(
            f"the file's joints ({', '.join(joints[:6])}, ...) and those of the layout "
            f"({', '.join(target[:6])}, ...) have no name in common"
        )
    return index


def _words(name: str) -> tuple[str, ...]:
    """'LeftEyeInner', 'left_eye_inner' and 'eye inner left' alike."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", str(name))
    return tuple(sorted(re.findall(r"[a-z0-9]+", split.lower())))
