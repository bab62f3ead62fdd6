"""What the model in the package can tell: held-out simulation, and real people it never saw.

  python -m experiments.default_model_accuracy --shared=DATA --out=results/default_model/accuracy

DATA holds `utkinect/joints`, `nw_ucla/all_sqe`, `utd_mhad/Skeleton` and
`utd_mhad/blazepose_full_stride3.npz`, as their publishers ship them; what is not there is left out.
Simulated clips are made here: configs/simulated.py's test performers, from viewpoints that
training has (`test_performers`) and from ones that it has not (`val`). Real clips count if their
class is one of the model's twenty. Each is seen once, without mirror images; "of 20" is the
largest of all probabilities, "of those here" the largest among the classes that the set has.

Writes OUT.json, with every confusion table, and OUT.md.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from configs import nw_ucla, simulated, utd_mhad_blazepose, utd_mhad_kinect, utkinect
from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.files.disk import write_json
from posec3d_jax.files.disk import write_whole as write_text
from posec3d_jax.predict import Predictor, load_predictor
from posec3d_jax.prepare import prepare
from posec3d_jax.weights.builtin import MODEL as PACKED
from posec3d_jax.weights.builtin import WEIGHTS, builtin_run

CHUNK = 64
# The class of a data set, and the model's for the same.
UTKINECT = {"walk": "walk", "sitDown": "sit_down", "standUp": "stand_up", "pickUp": "pick_up"}
UTKINECT |= {"throw": "throw", "waveHands": "wave", "clapHands": "clap"}
NW_UCLA = {"pick up with one hand": "pick_up", "pick up with two hands": "pick_up"}
NW_UCLA |= {"walk around": "walk", "sit down": "sit_down", "stand up": "stand_up"}
NW_UCLA |= {"throw": "throw"}
UTD_MHAD = {"wave": "wave", "clap": "clap", "throw": "throw", "cross arms": "cross_arms"}
UTD_MHAD |= {"front boxing": "punch", "sit to stand": "stand_up", "stand to sit": "sit_down"}
UTD_MHAD |= {"squat": "squat", "walk in place": "march", "jog in place": "run"}
REAL = {
    "UTKinect": (utkinect, "utkinect/joints", UTKINECT),
    "NW-UCLA": (nw_ucla, "nw_ucla/all_sqe", NW_UCLA),
    "UTD-MHAD, Kinect": (utd_mhad_kinect, "utd_mhad/Skeleton", UTD_MHAD),
    "UTD-MHAD, BlazePose": (utd_mhad_blazepose, "utd_mhad/blazepose_full_stride3.npz", UTD_MHAD),
}


@dataclass
class Outcome:
    """Of one set: the truth and the model's probabilities, clip by clip."""

    classes: tuple[str, ...]  # the model's
    truths: list[str] = field(default_factory=list)
    scores: list[np.ndarray] = field(default_factory=list)  # [K] each

    def record(self) -> dict:
        """Accuracies, and for each true class how often which was said."""
        truth = np.array([self.classes.index(name) for name in self.truths])
        scores = np.stack(self.scores)
        said, here = scores.argmax(1), np.unique(truth)
        among = here[scores[:, here].argmax(1)]
        recalls = [(said[truth == k] == k).mean() for k in here]
        return {
            "clips": len(truth),
            "classes": len(here),
            "top1_of_20": float((said == truth).mean()),
            "mean_class_of_20": float(np.mean(recalls)),
            "top1_of_those_here": float((among == truth).mean()),
            "confusion": {self.classes[k]: _counted(self.classes, said[truth == k]) for k in here},
        }


def _counted(classes: tuple[str, ...], said: np.ndarray) -> dict[str, int]:
    counts = np.bincount(said, minlength=len(classes))
    return {classes[k]: int(counts[k]) for k in np.argsort(-counts, kind="stable") if counts[k]}


def test_clips(clips: Iterator[tuple[SkeletonSequence, str]], predictor: Predictor) -> Outcome:
    """The model's word on each clip."""
    outcome, waiting = Outcome(predictor.class_names), []

    def serve() -> None:
        filled = waiting + waiting[-1:] * (CHUNK - len(waiting))
        batch = {name: np.concatenate([clip[name] for clip in filled]) for name in filled[0]}
        outcome.scores.extend(predictor.scores(batch)[: len(waiting)])
        waiting.clear()

    for clip, name in clips:
        outcome.truths.append(name)
        waiting.append(predictor.prepare(clip.keypoint, clip.score, clip.frame_size)[0])
        if len(waiting) == CHUNK:
            serve()
    if waiting:
        serve()
    return outcome


def simulated_clips(split: str, folder: Path) -> Iterator[tuple[SkeletonSequence, str]]:
    """Clips of the config that the model was trained by, but for the training ones."""
    config = simulated.get_config()
    data_dir = Path(config.data.dir)
    config.data.dir = str(data_dir if (data_dir / "info.json").is_file() else folder / "simulated")
    if not (Path(config.data.dir) / "info.json").is_file():
        prepare(config.data, progress=lambda line: None)
    source = open_source(config.data, split)
    for i in range(len(source)):
        yield source.sequence(i), source.info.class_names[source.labels[i]]


def real_clips(name: str, shared: Path, folder: Path) -> Iterator[tuple[SkeletonSequence, str]]:
    """All clips of a real set whose class the model has, as COCO-17 joints."""
    module, place, same = REAL[name]
    config = module.get_config()
    config.data.source, config.data.dir = str(shared / place), str(folder / module.__name__)
    config.data.remap_to, config.data.storage = "coco_17", "pack"
    if "extra_yaws" in config.data.reader_options:
        del config.data.reader_options["extra_yaws"]
    prepare(config.data, progress=lambda line: None, skip_bad=True)
    source = open_source(config.data, "train+test")
    for i in range(len(source)):
        label = source.info.class_names[source.labels[i]]
        if label in same:
            yield source.sequence(i), same[label]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shared", type=Path, required=True, help="Where the real sets lie.")
    parser.add_argument("--out", type=Path, required=True, help="Record, without its ending.")
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)  # before the work, not after it
    predictor, sets = load_predictor(builtin_run()), {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for split, words in (("test_performers", "people"), ("val", "people and viewpoints")):
            outcome = test_clips(simulated_clips(split, folder), predictor)
            sets[f"simulation, other {words}"] = outcome.record()
        for name, (_, place, _) in REAL.items():
            if (options.shared / place).exists():
                sets[name] = test_clips(
                    real_clips(name, options.shared, folder), predictor
                ).record()
    size = (PACKED / WEIGHTS).stat().st_size
    write_json(options.out.with_suffix(".json"), {"model_bytes": size, "sets": sets})
    write_text(options.out.with_suffix(".md"), as_text(size, sets))
    print(as_text(size, sets))


def as_text(size: int, sets: dict[str, dict]) -> str:
    """The record for people."""
    lines = [f"# The model in the package ({size / 1e6:.2f} MB)", ""]
    lines += ["| set | clips | classes | top-1 of 20 | mean class of 20 | top-1 of those here |"]
    lines += ["|---|---|---|---|---|---|"]
    for name, row in sets.items():
        figures = [row[k] for k in ("top1_of_20", "mean_class_of_20", "top1_of_those_here")]
        cells = " | ".join(f"{100 * figure:.1f}" for figure in figures)
        lines.append(f"| {name} | {row['clips']} | {row['classes']} | {cells} |")
    for name, row in sets.items():
        lines += ["", f"## {name}: what was said of each class", ""]
        for truth, said in row["confusion"].items():
            total = sum(said.values())
            words = ", ".join(f"{k} {100 * n / total:.0f} %" for k, n in list(said.items())[:5])
            lines.append(f"* {truth} ({total}): {words}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
