"""`posec3d train`."""

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Trains, or goes on with the run in --workdir."""
    from posec3d_jax.train import train_and_evaluate

    config, workdir = request.config, request.need("workdir")
    train_and_evaluate(config, workdir, resume_anyway=request.options.resume_anyway)
