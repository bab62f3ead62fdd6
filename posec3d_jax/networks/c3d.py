"""C3D-light: six plain 3x3x3 convolutions with spatial average pooling between them."""

import flax.linen as nn
import jax

from posec3d_jax.kernels.pooling import avg_pool_frames
from posec3d_jax.networks.layers import ConvNorm, Head, recomputed
from posec3d_jax.networks.mode import Mode


class C3DLight(nn.Module):
    """[B, T, H, W, C] volumes to logits {'pose': [B, K]}; frames are never merged.

    The paper's appendix says max pooling; its authors call that a misprint (pyskl issue 95).
    """

    num_classes: int
    width: int = 32
    dropout: float = 0.5
    mode: Mode = Mode()

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> dict[str, jax.Array]:
        conv = recomputed(ConvNorm, self.mode.remat)
        stages = (("1a",), ("2a",), ("3a", "3b"), ("4a", "4b"))
        for stage, names in enumerate(stages):
            x = x if stage == 0 else avg_pool_frames(x)
            for name in names:
                features = self.width * 2**stage
                x = conv(features, (3, 3, 3), mode=self.mode, name=f"conv{name}")(x, train)
        return {"pose": Head(self.num_classes, self.dropout, name="head")(x, train)}
