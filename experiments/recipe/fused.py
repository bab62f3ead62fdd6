"""What two trials are worth together, on the inner test clips: weighted sums of their scores.

  python -m experiments.recipe.fused --scores=runs/trials --set=utd_mhad_kinect

`--scores` is the folder that search.py was given. Every pair of its trials of that set is a line:
what each was, its accuracy, and that of their sums by each of the weights of the first.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
from absl import app, flags

from posec3d_jax.steps import metrics

WEIGHTS = (0.3, 0.5, 0.7)


def accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """Percent of the clips."""
    return 100 * metrics.top_k_accuracy(scores, labels, 1)


def fused(first: dict, second: dict, weights: tuple[float, ...] = WEIGHTS) -> list[float]:
    """Accuracies of the first trial's last weights, the second's, and their weighted sums.

    Raises:
      ValueError: the two were tested on other clips.
    """
    labels = first["labels"]
    if not np.array_equal(labels, second["labels"]):
        raise ValueError("the two trials have other test clips; expected those of one inner fold")
    one, two = first["last"], second["last"]
    sums = [weight * one + (1 - weight) * two for weight in weights]
    return [accuracy(scores, labels) for scores in (one, two, *sums)]


def main(argv: list[str]) -> None:
    options = flags.FLAGS
    files = sorted(Path(options.scores).glob(f"{options.set}-*.npz"))
    trials = [dict(np.load(file)) for file in files]
    print("first, second:", *(f"{weight:g} of the first" for weight in WEIGHTS), sep=" | ")
    for first, second in combinations(trials, 2):
        figures = " | ".join(f"{figure:.1f}" for figure in fused(first, second))
        print(f"{first['tried']}\n  + {second['tried']}\n  {figures}")


if __name__ == "__main__":
    flags.DEFINE_string("scores", None, "The folder of search.py's --scores.", required=True)
    flags.DEFINE_string("set", None, "An inner fold: of FOLDS in folds.py.", required=True)
    app.run(main)
