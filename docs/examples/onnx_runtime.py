"""An exported model in ONNX Runtime, without JAX: python onnx_runtime.py model.onnx clip.npz"""

import json
import sys

import numpy as np
import onnxruntime


def chosen_frames(length: int, wanted: int) -> np.ndarray:
    """The middles of `wanted` parts of equal length; a short clip repeats frames."""
    return ((np.arange(wanted) + 0.5) * length / wanted).astype(int)


def main(model: str, clip: str) -> None:
    session = onnxruntime.InferenceSession(model)
    facts = session.get_modelmeta().custom_metadata_map
    persons, frames, classes = (json.loads(facts[k]) for k in ("persons", "frames", "classes"))
    with np.load(clip) as arrays:
        keypoint, score, size = (arrays[k] for k in ("keypoint", "score", "frame_size"))
    rows = chosen_frames(keypoint.shape[1], frames)
    found = min(persons, len(keypoint))
    inputs = {
        "keypoint": np.zeros((1, persons, frames, keypoint.shape[2], 2), np.float32),
        "score": np.zeros((1, persons, frames, keypoint.shape[2]), np.float32),
        "frame_size": np.float32(size)[None],
    }
    inputs["keypoint"][0, :found] = keypoint[:found, rows]
    inputs["score"][0, :found] = score[:found, rows]
    [probabilities] = session.run(["probabilities"], inputs)
    for k in np.argsort(-probabilities[0])[:5]:
        print(f"{probabilities[0, k]:.4f}  {classes[k]}")


main(*sys.argv[1:])
