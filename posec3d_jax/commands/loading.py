"""The network that predict, recognise and serve are asked for: of a run, or of an exported file."""

from typing import TYPE_CHECKING, Any

from posec3d_jax.commands.request import Request

if TYPE_CHECKING:
    from posec3d_jax.predict import Predictor

_OF_A_RUN = {"workdir": "", "checkpoint": "latest", "protocol": "one"}  # and what they are unset


def open_predictor(request: Request) -> "Predictor":
    """Of --exported, else of the run in --workdir, else of the model in the package.

    Raises:
      ValueError, FileNotFoundError: there is none, or flags that exclude each other were given.
    """
    from posec3d_jax import predict

    options = request.options
    if options.exported:
        _check_alone(options)
        return predict.load_exported(options.exported)
    from posec3d_jax.config.stored import load_config
    from posec3d_jax.steps.protocol import ONE_CLIP, protocols

    workdir, protocol = request.workdir, ONE_CLIP
    if getattr(options, "protocol", "one") == "many":
        protocol = protocols(load_config(workdir))[1]
    return predict.load_predictor(workdir, options.checkpoint, protocol)


def _check_alone(options: Any) -> None:
    """Raises ValueError for flags of a run: of an exported network, all that is settled."""
    for name, unset in _OF_A_RUN.items():
        if getattr(options, name, unset) != unset:
            raise ValueError(
                f"--{name} is of a run, and --exported names a file in which it is settled: give "
                f"one of the two (`posec3d export` takes --{name})"
            )
