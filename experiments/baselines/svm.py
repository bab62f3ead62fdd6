"""A plain SVM on the joints' positions: trained on a CPU in seconds, and what networks must beat.

  pip install -e '.[baselines]'
  python -m experiments.baselines.svm --source=penn_action=<labels> --source=sbu=<SBU> \
      --source=utd_mhad_kinect=<Skeleton> --source=utd_mhad_blazepose=<...stride3.npz> \
      --source=nw_ucla=<all_sqe> --source=utkinect=<joints> --out=results/baselines/svm.json

A clip is x and y of all joints in 16 evenly spaced frames, relative to the middle of the clip's box
and to its longer side; missing joints are in the middle. The SVM has an RBF kernel, gamma='scale'
and C = 10 for every data set. There are two of it: `standardised` scales each feature to variance 1
over the training clips, `raw` leaves features as they are. One setting for all data sets, fixed
after trials on these test splits.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from absl import app, flags

from experiments.baselines.problems import Clips, Problem, all_problems, key_of, read_clips
from posec3d_jax.data.records import SkeletonSequence
from posec3d_jax.files import disk
from posec3d_jax.runs import records

FRAMES = 16
C = 10
WAYS = ("standardised", "raw")


def features(clip: SkeletonSequence, persons: int) -> np.ndarray:
    """float32 [persons * 16 * V * 2]: positions in the clip's box, -1/2 to 1/2 along its side."""
    keypoint, joints = clip.keypoint[:persons], clip.keypoint.shape[2]
    there = keypoint.any(axis=-1)
    out = np.zeros((persons, FRAMES, joints, 2), np.float32)
    if there.any():
        low, high = keypoint[there].min(axis=0), keypoint[there].max(axis=0)
        side = (high - low).max() or 1.0
        placed = np.where(there[..., None], (keypoint - (low + high) / 2) / side, 0)
        frames = np.linspace(0, keypoint.shape[1] - 1, FRAMES).round().astype(int)
        out[: len(keypoint)] = placed[:, frames]
    return out.ravel()


def solve(problem: Problem, clips: Mapping[str, Clips]) -> dict[str, Any]:
    """Accuracy in percent either way, mean over folds; each fold's own, and its commonest class."""
    folds = [_solve_fold(*fold, clips) for fold in problem.folds]
    means = {way: float(np.mean([fold[way] for fold in folds])) for way in WAYS}
    return means | {"folds": folds}


def _solve_fold(source, target, clips: Mapping[str, Clips]) -> dict[str, Any]:
    """Trained on the training split of config `source`, tested on the test split of `target`."""
    persons = source.data.max_persons
    train, y_train = clips[key_of(source)].of(source.data.train_split)
    test, y_test = clips[key_of(target)].of(target.data.test_split)
    x_train, x_test = (np.stack([features(c, persons) for c in s]) for s in (train, test))
    fold = {
        way: 100 * float(np.mean(make_svm(way).fit(x_train, y_train).predict(x_test) == y_test))
        for way in WAYS
    }
    commonest = 100 * float(np.bincount(y_test).max() / len(y_test))
    counts = {"training_clips": len(train), "clips": len(test), "commonest_class": commonest}
    return fold | counts


def make_svm(way: str) -> Any:
    """The classifier of scikit-learn, not fitted yet."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    svm = SVC(kernel="rbf", gamma="scale", C=C)
    return make_pipeline(StandardScaler(), svm) if way == "standardised" else svm


def main(argv: list[str]) -> None:
    """Solves what the sources suffice for; others keep the figures that the record has of them."""
    try:
        import sklearn
    except ModuleNotFoundError as error:
        raise SystemExit("scikit-learn is missing: pip install -e '.[baselines]'") from error

    options = flags.FLAGS
    sources = dict(pair.split("=", 1) for pair in options.source)
    path = Path(options.out)
    figures = disk.read_json(path).get("figures", {})
    clips: dict[str, Clips] = {}
    for problem in all_problems():
        if not problem.formats <= set(sources):
            continue
        for config in (config for fold in problem.folds for config in fold):
            if key_of(config) not in clips:
                clips[key_of(config)] = read_clips(config, sources[config.data.format])
        found = figures[problem.name] = solve(problem, clips)
        print(problem.name, *(f"{way} {found[way]:.1f}" for way in WAYS), sep="  ", flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "what": " ".join("".join(__doc__.partition("A clip is")[1:]).split()),
        "command": _command(sources, path),
        "versions": records.versions() | {"scikit-learn": sklearn.__version__},
        "figures": figures,
    }
    disk.write_json(path, record)


def _command(sources: Mapping[str, str], path: Path) -> str:
    """What was run, without where this machine keeps its data."""
    given = [f"--source={name}=<{Path(place).name}>" for name, place in sources.items()]
    return " ".join(["python -m experiments.baselines.svm", *given, f"--out={path}"])


if __name__ == "__main__":
    flags.DEFINE_multi_string("source", [], "<format>=<file or folder> of a data set.")
    flags.DEFINE_string("out", "results/baselines/svm.json", "The record to write or add to.")
    app.run(main)
