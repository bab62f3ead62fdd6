"""`posec3d fuse`."""

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Adds up the scores of several streams, and prints the accuracies."""
    from posec3d_jax.fuse import fuse_runs

    options = request.options
    weights = [float(weight) for weight in options.weights]
    print(fuse_runs(request.arguments, weights, options.out, options.record))
