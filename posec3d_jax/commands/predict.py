"""`posec3d predict`."""

import sys

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Recognises one clip, and prints the likeliest classes."""
    from posec3d_jax.config.stored import load_config
    from posec3d_jax.predict import load_clip, load_predictor
    from posec3d_jax.steps.protocol import protocols

    options = request.options
    clip = load_clip(request.need("input"))
    workdir = request.need("workdir")
    one, many = protocols(load_config(workdir))
    protocol = many if options.protocol == "many" else one
    result = load_predictor(workdir, options.checkpoint, protocol)(*clip)
    for warning in result.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for name, probability in result.top():
        print(f"{probability:.4f}  {name}")
