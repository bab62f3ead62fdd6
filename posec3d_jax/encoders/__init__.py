"""What a network is shown: encoders turn a batch of keypoints into its input, on the device."""

from posec3d_jax.encoders.encoder import Batch, Encoder, Inputs, blank
from posec3d_jax.encoders.graph import graph_encoder
from posec3d_jax.encoders.rgb import rgb_encoder, rgbpose_encoder
from posec3d_jax.encoders.volume import network_volume_encoder
from posec3d_jax.skeletons.skeleton import Skeleton

ENCODERS = {
    "volume": network_volume_encoder,
    "graph": graph_encoder,
    "rgb": rgb_encoder,
    "rgbpose": rgbpose_encoder,
}

__all__ = ["Batch", "Encoder", "Inputs", "blank", "make_encoder"]


def make_encoder(config, skeleton: Skeleton, target: str = "portable") -> Encoder:
    """The encoder that `config.encoder` names, with that config's options, for that target.

    Raises:
      ValueError: there is no such encoder, or it refuses an option.
    """
    if config.encoder not in ENCODERS:
        known = sorted(ENCODERS)
        raise ValueError(f"config.encoder is {config.encoder!r}; expected one of {known}")
    return ENCODERS[config.encoder](config, skeleton, target)
