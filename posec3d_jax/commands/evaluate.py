"""`posec3d evaluate`."""

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Tests a checkpoint of a run."""
    from posec3d_jax.evaluate import evaluate
    from posec3d_jax.steps.protocol import protocols

    options, workdir = request.options, request.need("workdir")
    one, many = protocols(request.config)
    evaluate(
        request.config,
        workdir,
        checkpoint=options.checkpoint,
        split=options.split,
        chosen={"both": (one, many), "one": (one,), "many": (many,)}[options.protocol],
        record=options.record,
    )
