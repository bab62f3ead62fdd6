"""SlowOnly, a ResNet whose later stages look along time: of heatmaps (paper, 3.2), or of frames."""

from collections.abc import Sequence

import flax.linen as nn
import jax

from posec3d_jax.networks.layers import Head
from posec3d_jax.networks.mode import Mode
from posec3d_jax.networks.pathway import Pathway


class SlowOnly(nn.Module):
    """[B, T, H, W, C] volumes to logits {'pose': [B, K]}; stage widths 4, 8, 16 x `width`.

    Of heatmaps: no striding in the stem, three stages instead of four, temporal kernels in the
    last two. `stage_blocks`, `inflate` and `temporal_strides` have an entry a stage.
    """

    num_classes: int
    width: int = 32
    stage_blocks: Sequence[int] = (4, 6, 3)
    inflate: Sequence[int] = (0, 1, 1)
    temporal_strides: Sequence[int] = (1, 1, 2)  # () for none
    first_stride: int = 2  # of the first stage in space; later ones have 2
    stem_strides: Sequence[int] = (1, 1)
    dropout: float = 0.5
    output: str = "pose"  # what its logits are called
    mode: Mode = Mode()

    def setup(self):
        stages = len(self.stage_blocks)
        self.pathway = Pathway(
            self.width,
            self.stage_blocks,
            self.inflate,
            self.temporal_strides or (1,) * stages,
            (self.first_stride, *(2,) * (stages - 1)),
            self.stem_strides,
            mode=self.mode,
        )
        nn.share_scope(self, self.pathway)  # its layers are called as if they were the network's
        self.head = Head(self.num_classes, self.dropout)

    def __call__(self, x: jax.Array, train: bool = False) -> dict[str, jax.Array]:
        return {self.output: self.head(self.pathway(x, train), train)}


class SlowOnlyRGB(SlowOnly):
    """SlowOnly-R50, of frames [B, T, H, W, 3] to logits {'rgb': [B, K]}."""

    width: int = 64
    stage_blocks: Sequence[int] = (3, 4, 6, 3)
    inflate: Sequence[int] = (0, 0, 1, 1)
    temporal_strides: Sequence[int] = ()
    first_stride: int = 1
    stem_strides: Sequence[int] = (2, 2)
    output: str = "rgb"
