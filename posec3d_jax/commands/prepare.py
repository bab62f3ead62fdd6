"""`posec3d prepare`."""

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Reads the config's annotations, checks them, and writes the data set."""
    from posec3d_jax.prepare import prepare

    options = request.options
    prepare(
        request.config.data,
        skip_bad=options.skip_bad,
        overwrite=options.overwrite,
        frames=options.frames,
    )
