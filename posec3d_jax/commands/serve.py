"""`posec3d serve`."""

from functools import partial
from pathlib import Path

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Serves a network until it is stopped."""
    from posec3d_jax.commands.loading import open_predictor

    try:
        from posec3d_jax.server.serving import serve
    except ImportError as error:
        raise ValueError(
            f"the service needs starlette and uvicorn ({error}): pip install 'posec3d-jax[serve]'"
        ) from error
    options = request.options
    name = Path(options.exported).stem if options.exported else Path(request.workdir).name
    print(f"http://{options.host}:{options.port}/ (Ctrl-C ends)", flush=True)
    serve(
        partial(open_predictor, request),
        name=name,
        host=options.host,
        port=options.port,
        estimator=options.estimator,
    )
