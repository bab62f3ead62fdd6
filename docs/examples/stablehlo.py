"""An exported model in JAX alone, on CPU, GPU or TPU: python stablehlo.py model.zip clip.npz"""

import json
import sys
import zipfile

import numpy as np
from jax import export


def chosen_frames(length: int, wanted: int) -> np.ndarray:
    """The middles of `wanted` parts of equal length; a short clip repeats frames."""
    return ((np.arange(wanted) + 0.5) * length / wanted).astype(int)


def main(model: str, clip: str) -> None:
    with zipfile.ZipFile(model) as archive:
        program = export.deserialize(bytearray(archive.read("program.jax_export")))
        facts = json.loads(archive.read("metadata.json"))
    with np.load(clip) as arrays:
        keypoint, score, size = (arrays[k] for k in ("keypoint", "score", "frame_size"))
    rows = chosen_frames(keypoint.shape[1], facts["frames"])
    persons, joints = facts["persons"], keypoint.shape[2]
    found = min(persons, len(keypoint))
    places = np.zeros((1, persons, len(rows), joints, 2), np.float32)
    scores = np.zeros((1, persons, len(rows), joints), np.float32)
    places[0, :found], scores[0, :found] = keypoint[:found, rows], score[:found, rows]
    probabilities = np.asarray(program.call(places, scores, np.float32(size)[None]))[0]
    for k in np.argsort(-probabilities)[:5]:
        print(f"{probabilities[k]:.4f}  {facts['classes'][k]}")


main(*sys.argv[1:])
