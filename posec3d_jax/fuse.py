"""Late fusion of streams: weighted sums of saved scores, clip by clip (joint + limb)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posec3d_jax.config import stored
from posec3d_jax.files import disk
from posec3d_jax.files.buckets import local_folder
from posec3d_jax.files.places import expand, make_writable
from posec3d_jax.runs import records
from posec3d_jax.runs.claim import claim
from posec3d_jax.runs.evaluations import Scores, load_scores, save_scores, write_evaluation
from posec3d_jax.steps import metrics

__all__ = ["Scores", "fuse", "load_scores", "save_scores", "write_evaluation"]


def fuse(paths: Sequence[str | Path], weights: Sequence[float] = ()) -> dict[str, Any]:
    """Adds the class probabilities of several streams and evaluates the sum.

    Args:
      paths: two or more scores.npz (or the folders that hold one), of the same clips; their order
        in the files does not matter.
      weights: one of each stream; () for equal ones, as the reference's 1:1.

    Returns:
      'streams': a list of dicts path, weight, top1, top5, mean_class; 'fused': the same three
      figures of the sum; 'scores': the sum as `Scores` in the first file's order, divided by the
      total weight so that it holds probabilities again (the ranking is that of the plain sum).

    Raises:
      FileNotFoundError, ValueError: naming the files that do not fit together, and where.
    """
    paths = [Path(path) for path in paths]
    weights = _checked_weights(weights or (1.0,) * len(paths), len(paths))
    streams = [load_scores(path) for path in paths]
    for path, stream in zip(paths, streams, strict=True):
        _check_probabilities(path, stream)
    aligned = [streams[0].scores]
    for path, stream in zip(paths[1:], streams[1:], strict=True):
        aligned.append(_align(paths[0], streams[0], path, stream))
    total = sum(np.float32(w) * scores for w, scores in zip(weights, aligned, strict=True))
    first = streams[0]
    fused = Scores(
        first.names,
        first.labels,
        total / np.float32(sum(weights)),
        first.class_names,
        first.protocol,
    )
    return dict(
        streams=[
            dict(path=str(path), weight=weight) | metrics.summarize(stream.scores, stream.labels)
            for path, weight, stream in zip(paths, weights, streams, strict=True)
        ],
        fused=metrics.summarize(fused.scores, fused.labels),
        scores=fused,
    )


def fuse_runs(
    paths: Sequence[str | Path],
    weights: Sequence[float] = (),
    out: str | Path = "",
    record: str | Path = "",
) -> str:
    """Fuses, writes the fused evaluation into `out` and the result's origin to `record`.

    Either may be ''. Returns a table for people. Raises what `fuse` raises.
    """
    out, record = local_folder(out) if out else "", expand(record) if record else ""
    paths = [local_folder(path) for path in paths]
    if record:
        make_writable(record.absolute().parent)
    result = fuse(paths, weights)
    scores, lines = result["scores"], []
    for stream in result["streams"]:
        lines.append(_line(f"{stream['path']} (weight {stream['weight']:g})", stream))
    lines.append(_line(f"fused, {scores.protocol}, {len(scores.names)} clips", result["fused"]))
    if out:
        with claim(out):
            write_evaluation(out, scores, {"streams": result["streams"]})
    if record:
        runs = [disk.read_json(_run_folder(path) / records.RUN_FILE) for path in paths]
        configs = [disk.read_json(_run_folder(path) / stored.CONFIG_FILE) for path in paths]
        records.write_record(
            record,
            protocol=scores.protocol,
            metrics=result["fused"],
            clips=len(scores.names),
            seed=[run.get("seed") for run in runs],
            config=configs,
            training=runs,
            streams=result["streams"],
        )
    return "\n".join(lines)


def _line(name: str, figures: Mapping[str, float]) -> str:
    values = "  ".join(f"{key} {figures[key]:.4f}" for key in ("top1", "top5", "mean_class"))
    return f"{values}  {name}"


def _run_folder(scores: str | Path) -> Path:
    """<run>/evaluations/<name>[/scores.npz] to <run>."""
    path = Path(scores).absolute()
    return (path if path.is_dir() else path.parent).parents[1]


def _checked_weights(weights: Sequence[float], count: int) -> list[float]:
    if count < 2:
        raise ValueError(f"{count} file of scores to fuse; expected two or more")
    if len(weights) != count:
        raise ValueError(
            f"{len(weights)} weights for {count} files of scores; expected one of each"
        )
    if not all(np.isfinite(w) and w >= 0 for w in weights) or sum(weights) == 0:
        raise ValueError(f"weights are {list(weights)}; expected numbers >= 0, not all of them 0")
    return [float(weight) for weight in weights]


def _check_probabilities(path: Path, stream: Scores) -> None:
    """Logits of two networks have no common scale, so only probabilities are added."""
    off = (stream.scores < 0).any(axis=1) | ~(np.abs(stream.scores.sum(axis=1) - 1) < 1e-2)
    if off.any():
        name = stream.names[int(np.argmax(off))]
        raise ValueError(
            f"{path}: the scores of clip {name!r} are not probabilities (they sum to "
            f"{stream.scores[np.argmax(off)].sum():.4g}); evaluate with evaluate.average='prob'"
        )


def _align(first_path: Path, first: Scores, path: Path, other: Scores) -> np.ndarray:
    """The other stream's scores in the first one's order of clips, [N, K]."""
    files = f"{first_path} and {path}"
    if first.protocol != other.protocol:
        raise ValueError(
            f"{files} were tested differently: {first.protocol!r} against {other.protocol!r}; "
            "evaluate both with one protocol"
        )
    if first.scores.shape[1] != other.scores.shape[1]:
        raise ValueError(
            f"{files} have {first.scores.shape[1]} and {other.scores.shape[1]} classes"
        )
    if first.class_names != other.class_names:
        _raise_class_names(files, first.class_names, other.class_names)
    row = {name: i for i, name in enumerate(other.names)}
    _check_same_clips(first_path, first, path, other)
    order = np.array([row[name] for name in first.names])
    differs = np.flatnonzero(other.labels[order] != first.labels)
    if len(differs):
        i = differs[0]
        raise ValueError(
            f"{files} label {len(differs)} clips differently; the first is {first.names[i]!r}: "
            f"{first.labels[i]} against {other.labels[order[i]]}"
        )
    return other.scores[order]


def _raise_class_names(files: str, first: tuple[str, ...], other: tuple[str, ...]) -> None:
    if not (first and other):
        raise ValueError(f"of {files} only one has class names; evaluate both on one data set")
    k = next(k for k, (a, b) in enumerate(zip(first, other, strict=True)) if a != b)
    raise ValueError(f"{files} name class {k} differently: {first[k]!r} against {other[k]!r}")


def _check_same_clips(first_path: Path, first: Scores, path: Path, other: Scores) -> None:
    for path_a, a, path_b, b in (
        (first_path, first, path, other),
        (path, other, first_path, first),
    ):
        known = set(b.names)
        if missing := [name for name in a.names if name not in known]:
            raise ValueError(
                f"{path_b} lacks {len(missing)} of the {len(a.names)} clips of {path_a}; "
                f"the first is {missing[0]!r}; evaluate both on the same split"
            )
