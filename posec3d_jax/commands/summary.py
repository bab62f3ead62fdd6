"""`posec3d summary`."""

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Prints layers, parameters and multiply-adds of the config's network."""
    from posec3d_jax.reports.summary import summarize

    print(summarize(request.config))
