"""Which variations of training clips help a plain SVM on inner folds: a screening of minutes.

  python -m experiments.recipe.screen --data=data --out=results/recipe/screen.csv

What an SVM gains from clips that are turned, stretched or hurried, on persons or cameras that it
has not seen, says what such variations are worth in a data set before a network is trained on them.
The SVM is that of experiments/baselines/svm.py on raw features: x and y in 16 frames, in the
persons' box. Each variation trains on the clips as they are and on COPIES varied ones of each;
'copies alone' varies nothing but the phase of the frames. The data sets must be prepared with
data.storage "pack"; their test splits are never read.
"""

import csv
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from absl import app, flags

from experiments.baselines.svm import make_svm
from experiments.recipe.folds import TEST, TRAIN, folder_of
from posec3d_jax.config.files import read_config
from posec3d_jax.data.feed.spread import spread_frames
from posec3d_jax.data.stored.sources import Source, open_source
from posec3d_jax.encoders import geometry as g
from posec3d_jax.encoders.affine import mapped

FRAMES, COPIES, MOST = 16, 5, 1200  # the last: training clips, beyond which every k-th is taken
NOTHING = {"turn": 0.0, "stretch": 0.0, "shear": 0.0, "shift": 0.0}
TIME = {"share": 0.8, "warp": 0.5}
VARIATIONS: dict[str, dict[str, float]] = {
    "copies alone": {},
    **{f"turn {v:g}": {"turn": v} for v in (5.0, 10.0, 20.0)},
    **{f"stretch {v:g}": {"stretch": v} for v in (0.1, 0.2, 0.4)},
    **{f"shear {v:g}": {"shear": v} for v in (0.1, 0.2, 0.4)},
    **{f"share {v:g}": {"share": v} for v in (0.9, 0.8, 0.6)},
    **{f"warp {v:g}": {"warp": v} for v in (0.3, 0.6, 0.9)},
    "turn 10, stretch 0.2, shear 0.2": {"turn": 10.0, "stretch": 0.2, "shear": 0.2},
    "all": {"turn": 10.0, "stretch": 0.2, "shear": 0.2, **TIME},
    "all, doubled": {"turn": 20.0, "stretch": 0.4, "shear": 0.4, "share": 0.6, "warp": 0.9},
}


def features(source: Source, clips: np.ndarray, seed: int | None, **limits: float) -> np.ndarray:
    """float32 [N, features] of the clips, varied by `limits`, or without a seed as they are."""
    rng = None if seed is None else np.random.default_rng(seed)
    time = {key: limits.pop(key) for key in ("share", "warp") if key in limits}
    frames = spread_frames(source.lengths[clips], FRAMES, rng, **time)
    batch = {"keypoint": jnp.array(source.gather(clips, frames)["keypoint"])}
    if limits:
        batch = mapped(batch, jax.random.key(seed), NOTHING | limits)
    centre, side = g.centre_and_side(batch["keypoint"])
    there = (batch["keypoint"] != 0).any(-1, keepdims=True)
    placed = (batch["keypoint"] - centre[:, None, None, None]) / side[:, None, None, None]
    return np.asarray(jnp.where(there, placed, 0)).reshape(len(clips), -1)


def accuracy(train: Source, test: Source, variation: dict[str, float] | None) -> float:
    """Percent of the test clips; None trains on the clips as they are, and no copies."""
    clips = np.arange(0, len(train), -(-len(train) // MOST))
    seeds = [None, *(range(1, 1 + COPIES) if variation is not None else ())]
    x = [features(train, clips, seed, **(variation or {}) if seed else {}) for seed in seeds]
    svm = make_svm("raw").fit(np.concatenate(x), np.tile(train.labels[clips], len(seeds)))
    found = svm.predict(features(test, np.arange(len(test)), None))
    return 100 * float(np.mean(found == test.labels))


def main(argv: list[str]) -> None:
    options, rows = flags.FLAGS, []
    for name in options.set:
        folder = folder_of(Path(options.data), name)
        config = read_config(f"configs/{name}.py")
        config.data.dir, config.data.storage = str(folder), "pack"
        train, test = (open_source(config.data, split) for split in (TRAIN, TEST))
        for label, variation in {"as they are": None, **VARIATIONS}.items():
            row = {"set": name, "variation": label, "top1": accuracy(train, test, variation)}
            rows.append(row | {"top1": f"{row['top1']:.1f}"})
            print(*rows[-1].values(), sep=", ", flush=True)
    out = Path(options.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with open(out, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ("set", "variation", "top1"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    sets = ["utd_mhad_kinect", "utd_mhad_blazepose", "nw_ucla"]
    flags.DEFINE_list("set", sets, "Configs of configs/ with an inner fold.")
    flags.DEFINE_string("data", "data", "Folder of the prepared data sets.")
    flags.DEFINE_string("out", "results/recipe/screen.csv", "The table to write.")
    app.run(main)
