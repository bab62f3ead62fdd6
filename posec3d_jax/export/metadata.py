"""What an exported file says of itself: classes, joints, inputs, frames and preprocessing."""

from dataclasses import asdict
from typing import Any

from posec3d_jax.config.stored import config_to_dict
from posec3d_jax.engines.exported import FORMAT, OUTPUT
from posec3d_jax.export.program import Program
from posec3d_jax.runs.records import versions

INPUT_MEANINGS = {
    "keypoint": "[batch, persons, frames, joints, 2]: x and y in pixels of the frame; a joint that "
    "is missing, and a person who is absent, are zeros",
    "score": "[batch, persons, frames, joints]: confidence of each keypoint, 0 to 1; 1 where there "
    "are none, 0 where the joint is missing",
    "frame_size": "[batch, 2]: height and width of the frame in pixels",
}


def describe(program: Program, batch: int) -> dict[str, Any]:
    """Plain values for JSON; `batch` 0 is any."""
    config, skeleton = program.config, program.recognizer.skeleton
    sampling = config.sampling
    settings = config_to_dict(config)
    return {
        "format": FORMAT,
        "name": config.name,
        "checkpoint": program.checkpoint,
        "classes": list(program.class_names),
        "layout": skeleton.name,
        "joints": list(skeleton.joints),
        "limbs": [list(limb) for limb in skeleton.limbs],
        "batch": batch or "any",
        "persons": config.data.max_persons,
        "frames": program.frames,
        "inputs": INPUT_MEANINGS,
        "output": f"{OUTPUT} [batch, classes]",
        "sampling": _sampling(sampling, program),
        "views": {"clips": program.protocol.clips, "mirrored_too": program.protocol.flip},
        "preprocessing": {
            "encoder": config.encoder,
            "inside": "crop, resize, mirror and drawing are part of the model",
            **{k: settings[k] for k in ("volume", "geometry", "graph")},
        },
        "network": settings["model"],
        # What a predictor needs, so that it prepares clips as that of the run does.
        "config": _without_places(settings),
        "needs": asdict(program.needs),
        "versions": versions(),
    }


def _without_places(settings: dict[str, Any]) -> dict[str, Any]:
    """The config without folders of the machine that exported it, which are nobody else's."""
    data = settings["data"] | dict.fromkeys(("source", "dir", "video_root"), "")
    return settings | {"data": data, "init_from": "", "init_pose_from": ""}


def _sampling(sampling, program: Program) -> str:
    """How to choose the frames, for people."""
    one = program.needs.frames
    if sampling.method == "uniform":
        text = f"cut the clip into {one} parts of equal length and take a frame of each, in order"
        text += "; a clip with fewer frames repeats some"
    elif sampling.method == "spread":
        text = f"take {one} frames, equally spaced from the start of the clip to its end"
        text += "; of a clip with fewer frames some twice"
    else:
        text = f"take {one} frames, {sampling.stride} apart"
    if program.needs.following:
        text += f"; then, after these {one}, the frame following each"
    if program.protocol.clips > 1:
        text += f"; do so {program.protocol.clips} times, one choice after the other"
    return text
