"""`posec3d serve`."""

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Serves a run until it is stopped."""
    from posec3d_jax.config.stored import load_config
    from posec3d_jax.steps.protocol import protocols

    try:
        from posec3d_jax.server.serving import serve
    except ImportError as error:
        raise ValueError(
            f"the service needs starlette and uvicorn ({error}): pip install 'posec3d-jax[serve]'"
        ) from error
    options, workdir = request.options, request.workdir
    one, many = protocols(load_config(workdir))
    print(f"http://{options.host}:{options.port}/ (Ctrl-C ends)", flush=True)
    serve(
        workdir,
        host=options.host,
        port=options.port,
        checkpoint=options.checkpoint,
        protocol=many if options.protocol == "many" else one,
        estimator=options.estimator,
    )
