"""`posec3d report`."""

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Writes the HTML page of a run, and prints where it is."""
    from posec3d_jax.reports.report import write_report

    print(write_report(request.need("workdir")))
