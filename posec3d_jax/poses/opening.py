"""Pose estimators by name, as the command line names them."""

from posec3d_jax.poses.estimator import Estimator

MOVENET = {"thunder": "thunder", "lightning": "lightning", "multipose": ""}
HELP = (
    "thunder (exact), lightning (fast), multipose (one pass), each with :onnxruntime behind it to "
    "run in that; a top-down .onnx file; rtmlib; or DETECTOR.onnx+ and one of the first two or a "
    "top-down .onnx file"
)
_AND = ".onnx+"  # between a detector's file and who looks at the people that it finds


def open_estimator(name: str = "thunder", *, heatmaps: bool = False, target: str = "") -> Estimator:
    """The estimator of that name; what it needs is loaded only here.

    'thunder', 'lightning' and 'multipose' are MoveNet; FILE.onnx is a top-down model of the user's,
    for people whom MultiPose finds; 'rtmlib' is that package's body estimator. 'DETECTOR.onnx+'
    before 'thunder', 'lightning' or FILE.onnx has a detector of the user's find the people instead.
    ':onnxruntime' after one of MoveNet's has ONNX Runtime run it on the CPU, which takes less time
    there and differs in the last bits.

    Args:
      name: see above.
      heatmaps: keep what the network saw of each joint.
      target: what JAX compiles for (`kernels.target.TARGETS`), '' for the devices it runs on here.

    Raises:
      ValueError: there is no such estimator, its weights or packages are not installed, or it has
        no heatmaps.
      FileNotFoundError: there is no such file.
    """
    found, joint, rest = name.rpartition(_AND)
    finder = _detector(f"{found}.onnx", rest) if joint else None
    name = rest if joint else name
    variant, _, engine = name.partition(":")
    if variant in MOVENET:
        from posec3d_jax.poses.movenet.estimator import MoveNet

        options = dict(heatmaps=heatmaps, target=target, engine=engine or "xla")
        return MoveNet(MOVENET[variant], finder=finder, **options)
    if name.endswith(".onnx"):
        from posec3d_jax.poses.onnx import OnnxTopDown

        return OnnxTopDown(name, finder, heatmaps=heatmaps)
    if name == "rtmlib" and heatmaps:
        raise ValueError("rtmlib tells places alone: it has no heatmaps to keep")
    if name == "rtmlib":
        from posec3d_jax.poses.rtmlib import open_rtmlib

        return open_rtmlib()
    raise ValueError(f"there is no pose estimator {name!r:.80}; expected {HELP}")


def _detector(file: str, looker: str) -> Estimator:
    """ValueError where `looker` cannot be told where people are."""
    from posec3d_jax.poses.detector import OnnxDetector

    if looker.partition(":")[0] not in ("thunder", "lightning") and not looker.endswith(".onnx"):
        raise ValueError(f"{looker!r:.80} finds people by itself; expected {HELP}")
    return OnnxDetector(file)
