"""`posec3d predict`."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Recognises the clips of a file or folder; prints the likeliest classes, or writes them all.

    Raises:
      ValueError: the input cannot be used, or no clip of it.
    """
    from posec3d_jax.commands.loading import open_predictor
    from posec3d_jax.predict import predict_files
    from posec3d_jax.reports.predictions import check_ending, write_predictions

    options, out = request.options, Path(request.options.out or "")
    source = request.need("input")
    if not Path(source).exists():
        raise FileNotFoundError(f"--input is {source!r}, which does not exist")
    if options.out:
        check_ending(out)
    predictor = open_predictor(request)
    if options.videos and not predictor.needs_frames:
        raise ValueError("--videos is for networks of RGB; this one is shown poses alone")
    predicted = predict_files(source, predictor, videos=options.videos)
    predicted = list(_printed(predicted))
    if options.out:
        write_predictions(out, predicted)
    faults = [found for _, found in predicted if isinstance(found, str)]
    if len(faults) == len(predicted):
        raise ValueError(faults[0] if faults else f"{source} holds no clip")


def _printed(predicted: Iterable) -> Iterator:
    """Passes predictions on; of a single clip the five likeliest classes are printed, else one."""
    first, several = None, False
    for name, found in predicted:
        if first is not None and not several:
            _print_line(*first)
        first, several = first or (name, found), first is not None
        if several:
            _print_line(name, found)
        yield name, found
    if first is not None and not several and not isinstance(first[1], str):
        _warn("", first[1])
        for name, probability in first[1].top():
            print(f"{probability:.4f}  {name}")


def _print_line(name: str, found) -> None:
    if isinstance(found, str):
        print(f"{name}: {found}", file=sys.stderr)
        return
    _warn(f"{name}: ", found)
    print(f"{found.scores[found.label]:.4f}  {found.class_name}  {name}")


def _warn(where: str, found) -> None:
    for warning in found.warnings:
        print(f"warning: {where}{warning}", file=sys.stderr)
