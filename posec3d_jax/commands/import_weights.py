"""`posec3d import-weights`."""

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Reads a checkpoint of PyTorch, and prints what became of each tensor."""
    from posec3d_jax.weights.importing import import_weights

    if len(request.arguments) != 1:
        raise ValueError("expected one checkpoint: posec3d import-weights FILE --config --out")
    print(import_weights(request.arguments[0], request.config, request.need("out")))
