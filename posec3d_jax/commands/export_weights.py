"""`posec3d export-weights`."""

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Writes a checkpoint under PyTorch's names, and prints them."""
    from posec3d_jax.runs.other_settings import tell_differences
    from posec3d_jax.weights.exporting import export_weights

    workdir, out = request.need("workdir"), request.need("out")
    tell_differences(request.config, workdir)
    print(export_weights(workdir, request.config, out, checkpoint=request.options.checkpoint))
