"""The three networks in plain PyTorch, as a careful user of it would write them; the peer to beat.

Parameter names are those of PYSKL and mmaction2, so that exported weights load into them.
"""

import torch
from torch import Tensor, nn


class ConvNorm(nn.Module):
    """Convolution, BatchNorm, ReLU; `act` and `norm` leave the last two out."""

    def __init__(self, inputs, outputs, size, stride=(1, 1, 1), *, groups=1, act=True, norm=True):
        super().__init__()
        pads = tuple(k // 2 for k in size)
        self.conv = nn.Conv3d(inputs, outputs, size, stride, pads, groups=groups, bias=False)
        self.bn = nn.BatchNorm3d(outputs) if norm else nn.Identity()
        self.act = nn.ReLU(inplace=True) if act else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    """SlowOnly's residual block."""

    def __init__(self, inputs: int, planes: int, stride, inflate: bool):
        super().__init__()
        out, first = 4 * planes, (3, 1, 1) if inflate else (1, 1, 1)
        self.conv1 = ConvNorm(inputs, planes, first)
        self.conv2 = ConvNorm(planes, planes, (1, 3, 3), stride)
        self.conv3 = ConvNorm(planes, out, (1, 1, 1), act=False)
        same = inputs == out and stride == (1, 1, 1)
        self.downsample = None if same else ConvNorm(inputs, out, (1, 1, 1), stride, act=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv3(self.conv2(self.conv1(x)))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class SlowOnly(nn.Module):
    """Pose-SlowOnly without its head."""

    def __init__(self, channels, width=32, stage_blocks=(4, 6, 3), inflate=(0, 1, 1), **options):
        super().__init__()
        temporal_strides = options.get("temporal_strides", (1, 1, 2))
        self.conv1 = ConvNorm(channels, width, (1, 7, 7))
        self.maxpool = nn.MaxPool3d((1, 3, 3), stride=1, padding=(0, 1, 1))
        inputs = width
        for stage, blocks in enumerate(stage_blocks):
            planes, layers = width * 2**stage, []
            for block in range(blocks):
                stride = (temporal_strides[stage], 2, 2) if block == 0 else (1, 1, 1)
                layers.append(Bottleneck(inputs, planes, stride, bool(inflate[stage])))
                inputs = 4 * planes
            self.add_module(f"layer{stage + 1}", nn.Sequential(*layers))
        self.features = inputs

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.conv1(x))
        return self.layer3(self.layer2(self.layer1(x)))


class C3DLight(nn.Module):
    """C3D-light without its head."""

    def __init__(self, channels, width=32):
        super().__init__()
        size, w = (3, 3, 3), width
        self.conv1a = ConvNorm(channels, w, size)
        self.conv2a = ConvNorm(w, 2 * w, size)
        self.conv3a, self.conv3b = ConvNorm(2 * w, 4 * w, size), ConvNorm(4 * w, 4 * w, size)
        self.conv4a, self.conv4b = ConvNorm(4 * w, 8 * w, size), ConvNorm(8 * w, 8 * w, size)
        self.pool = nn.AvgPool3d((1, 2, 2))
        self.features = 8 * w

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.conv1a(x))
        x = self.pool(self.conv2a(x))
        x = self.pool(self.conv3b(self.conv3a(x)))
        return self.conv4b(self.conv4a(x))


class X3DBlock(nn.Module):
    """X3D's residual block."""

    def __init__(self, inputs: int, planes: int, inner: int, stride: int):
        super().__init__()
        strides = (1, stride, stride)
        self.conv1 = ConvNorm(inputs, inner, (1, 1, 1))
        self.conv2 = ConvNorm(inner, inner, (3, 3, 3), strides, groups=inner, act=False)
        self.conv3 = ConvNorm(inner, planes, (1, 1, 1), act=False)
        same = inputs == planes and stride == 1
        self.downsample = None if same else ConvNorm(inputs, planes, (1, 1, 1), strides, act=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv3(self.conv2(self.conv1(x)))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class X3DShallow(nn.Module):
    """X3D-shallow without its head."""

    def __init__(self, channels, width=24, stage_blocks=(2, 5, 3), expansion=2.25):
        super().__init__()
        self.conv1_s = ConvNorm(channels, width, (1, 3, 3), (1, 2, 2), act=False, norm=False)
        self.conv1_t = ConvNorm(width, width, (5, 1, 1), groups=width)
        inputs = width
        for stage, blocks in enumerate(stage_blocks):
            planes, layers = width * 2**stage, []
            for block in range(blocks):
                inner = int(planes * expansion)
                layers.append(X3DBlock(inputs, planes, inner, 2 if block == 0 else 1))
                inputs = planes
            self.add_module(f"layer{stage + 1}", nn.Sequential(*layers))
        self.features = int(inputs * expansion)
        self.conv5 = ConvNorm(inputs, self.features, (1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1_t(self.conv1_s(x))
        return self.conv5(self.layer3(self.layer2(self.layer1(x))))


class Head(nn.Module):
    """Global average, dropout, linear."""

    def __init__(self, features: int, num_classes: int):
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.fc_cls = nn.Linear(features, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc_cls(self.dropout(x.mean((2, 3, 4))))


class Recognizer(nn.Module):
    """[B, C, T, H, W] volumes to logits [B, K]."""

    def __init__(self, name: str, channels: int, num_classes: int, **options):
        super().__init__()
        self.backbone = NETWORKS[name](channels, **options)
        self.cls_head = Head(self.backbone.features, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.cls_head(self.backbone(x))


NETWORKS = {"slowonly": SlowOnly, "c3d_light": C3DLight, "x3d_shallow": X3DShallow}


def make_network(name: str, channels: int, num_classes: int, device: str) -> nn.Module:
    """A network in the memory layout that PyTorch runs fastest."""
    network = Recognizer(name, channels, num_classes).to(device)
    return network.to(memory_format=torch.channels_last_3d)
