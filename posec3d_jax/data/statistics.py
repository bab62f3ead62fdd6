"""What is in a data set, in figures: counted while it is written, reported as plain JSON."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.data.stored.clips import ClipTable
from posec3d_jax.data.stored.info import DatasetInfo

_LISTED = 50  # clip names or frame sizes that a report spells out


@dataclass
class JointCount:
    """How often each joint is missing, over the persons and frames in which there is a body."""

    missing: np.ndarray  # int64 [V]
    bodies: int = 0  # person-frames with at least one joint
    absent: int = 0  # person-frames with none
    empty_clips: list[str] = field(default_factory=list)  # clips without a single joint

    def add(self, sequence: SkeletonSequence) -> None:
        """Count one clip; a joint is missing if it is exact zeros or has no positive score."""
        seen = sequence.keypoint.any(axis=-1) & (sequence.score > 0)
        body = seen.any(axis=-1)
        self.missing += (body[..., None] & ~seen).sum(axis=(0, 1))
        self.bodies += int(body.sum())
        self.absent += int(body.size - body.sum())
        if not body.any():
            self.empty_clips.append(sequence.name)


def statistics(
    info: DatasetInfo, table: ClipTable, splits: Mapping[str, np.ndarray], joints: JointCount
) -> dict:
    """Plain lists and numbers, to be written as JSON.

    Returns:
      clips; splits -> {clips, per_class}; frames and persons -> {min, median, max}; frame_sizes
      ('height x width' -> clips, most frequent first); missing_joints (joint -> share of the bodies
      that lack it); absent_share (person-frames without a body); empty_clips (count and names).
    """
    sizes = Counter(f"{int(h)} x {int(w)}" for h, w in table.frame_size)
    share = joints.missing / max(joints.bodies, 1)
    return {
        "clips": len(table),
        "splits": {name: _split(table.labels[clips], info) for name, clips in splits.items()},
        "frames": _spread(table.lengths),
        "persons": _spread(table.persons),
        "frame_sizes": dict(sizes.most_common(_LISTED)),
        "missing_joints": dict(zip(info.skeleton.joints, share.round(4).tolist(), strict=True)),
        "absent_share": round(joints.absent / max(joints.bodies + joints.absent, 1), 4),
        "empty_clips": {
            "count": len(joints.empty_clips),
            "names": joints.empty_clips[:_LISTED],
        },
    }


def _split(labels: np.ndarray, info: DatasetInfo) -> dict:
    counts = np.bincount(labels, minlength=info.num_classes).tolist()
    names = info.class_names or [str(i) for i in range(info.num_classes)]
    return {"clips": len(labels), "per_class": dict(zip(names, counts, strict=True))}


def _spread(values: np.ndarray) -> dict[str, float]:
    return {"min": int(values.min()), "median": float(np.median(values)), "max": int(values.max())}


def summary(info: DatasetInfo, figures: dict) -> str:
    """The statistics as a few lines for a person."""
    frames, persons = figures["frames"], figures["persons"]
    missing = sorted(figures["missing_joints"].items(), key=lambda item: -item[1])
    worst = ", ".join(f"{joint} {share:.1%}" for joint, share in missing[:5] if share)
    sizes = list(figures["frame_sizes"].items())
    listed = ", ".join(f"{size} ({count})" for size, count in sizes[:3])
    lines = [
        f"{info.name}: {figures['clips']} clips, {info.num_classes} classes, layout "
        f"{info.skeleton.name} ({info.skeleton.num_joints} joints)",
        f"  frames a clip: {frames['min']} to {frames['max']}, median {frames['median']:g}",
        f"  persons a clip: {persons['min']} to {persons['max']}, median {persons['median']:g}",
        f"  frame sizes (height x width): {listed}{', ...' if len(sizes) > 3 else ''}",
        f"  missing joints, share of bodies: {worst or 'none'}",
        f"  person-frames without a body: {figures['absent_share']:.1%}; clips without any: "
        f"{figures['empty_clips']['count']}",
    ]
    for name, split in figures["splits"].items():
        counts = list(split["per_class"].values())
        lacking = sum(count == 0 for count in counts)
        lines.append(
            f"  split {name}: {split['clips']} clips, {min(counts)} to {max(counts)} a class"
            + (f", {lacking} of {len(counts)} classes have none" if lacking else "")
        )
    return "\n".join(lines + [f"  note: {note}" for note in info.notes])
