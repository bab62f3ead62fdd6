"""SLEAP: analysis files in HDF5 (`sleap-convert --format analysis`), one a video.

`tracks` holds the coordinates, `node_names` the joints, `point_scores` confidences where there are
some. The order of the axes is what the attribute `dims` says; without it that of SLEAP itself:
tracks, xy, nodes, frames (frames, nodes, xy, tracks where the file says it is not transposed).
NaN is a missing joint; one without a score was placed by hand, and has 1.
"""

import json
from pathlib import Path

import numpy as np

from posec3d_jax.data.pose_files.frames import Options, Person, PoseFrames, assemble
from posec3d_jax.files.arrays import BadSample
from posec3d_jax.files.hdf5 import load_hdf5

_TRANSPOSED, _AS_IT_WAS = ("track", "xy", "node", "frame"), ("frame", "node", "xy", "track")
_WANTED = ("frame", "track", "node", "xy")


def read(file: Path, options: Options) -> PoseFrames:
    """The frames of an analysis file; every track is a person."""
    arrays, attributes = load_hdf5(
        file, ("tracks", "node_names"), ("point_scores",), ("dims", "transpose")
    )
    joints = tuple(_text(name) for name in arrays["node_names"].ravel())
    said = attributes[""].get("transpose", True)
    axes = _TRANSPOSED if bool(np.all(said)) else _AS_IT_WAS
    tracks = _ordered(arrays["tracks"], axes, attributes["tracks"], "tracks")
    if tracks.shape[2:] != (len(joints), 2):
        message = f"its last axes are {tracks.shape[2:]}, expected {len(joints)} joints and x, y"
        raise BadSample("wrong_shape", message, "tracks")
    scores = np.ones(tracks.shape[:3])
    if "point_scores" in arrays:
        axes = tuple(name for name in axes if name != "xy")
        scores = _ordered(arrays["point_scores"], axes, attributes["point_scores"], "point_scores")
        if scores.shape != tracks.shape[:3]:
            message = f"its axes are {scores.shape}, expected {tracks.shape[:3]}"
            raise BadSample("wrong_shape", message, "point_scores")
        scores = np.where(np.isnan(scores), 1, scores)
    points = np.concatenate([tracks, scores[..., None]], axis=-1)  # [T, tracks, V, 3]
    there = np.isfinite(points[..., 0]).any(axis=-1)
    found = {
        frame: [Person(points[frame, track], int(track)) for track in np.flatnonzero(there[frame])]
        for frame in range(len(points))
    }
    return assemble(found, joints, options, first=0)


def _text(name) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


def _ordered(values: np.ndarray, axes: tuple[str, ...], attributes: dict, key: str) -> np.ndarray:
    """The array with its axes as frame, track, node(, xy), floats."""
    if "dims" in attributes:
        said = attributes["dims"]
        try:
            said = json.loads(_text(said)) if isinstance(said, str | bytes) else list(said)
        except ValueError:
            said = []
        named = tuple(_text(name) for name in said) if isinstance(said, list) else ()
        if sorted(named) != sorted(axes):
            message = f"its dims are {attributes['dims']!r:.100}, expected {axes} in some order"
            raise BadSample("wrong_shape", message, key)
        axes = named
    if values.ndim != len(axes) or values.dtype.kind not in "fiu":
        message = f"a {values.dtype} with {values.ndim} axes, expected numbers with {len(axes)}"
        raise BadSample("wrong_shape", message, key)
    order = [axes.index(name) for name in _WANTED if name in axes]
    return values.transpose(order).astype(np.float64)
