"""MoveNet's network as an ONNX model, the same as network.py; needs the extra `onnx`."""

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Layer = Mapping[str, np.ndarray]
_STRIDED, _LATERAL, _BLOCKS = (1, 3, 6, 13), (9, 5, 2), 17
_HEADS = ("centre", "heatmap", "regression", "offset", "box_size", "box_offset")


class _Graph:
    """Nodes and constants of a model under construction; methods return names of tensors."""

    def __init__(self, weights: Mapping[str, Layer]) -> None:
        self.weights, self.nodes, self.constants = weights, [], []

    def add(self, kind: str, *inputs: str, **attributes) -> str:
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, array: np.ndarray) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def convolution(self, x: str, name: str, stride: int = 1) -> str:
        """Kernels [C, O], [3, 3, C] depth-wise, or [3, 3, C, O]; padded as TensorFlow's SAME."""
        layer = self.weights[name]
        kernel = layer["kernel"]
        group = kernel.shape[-1] if kernel.ndim == 3 else 1
        size = 1 if kernel.ndim == 2 else 3
        if kernel.ndim == 2:
            kernel = kernel.T[:, :, None, None]
        elif kernel.ndim == 3:
            kernel = kernel.transpose(2, 0, 1)[:, None]
        else:
            kernel = kernel.transpose(3, 2, 0, 1)
        near = 0 if size == 1 or stride == 2 else 1
        pads = [near, near, int(size == 3), int(size == 3)]
        inputs = [x, self.constant(kernel)]
        inputs += [self.constant(layer["bias"])] if "bias" in layer else []
        return self.add("Conv", *inputs, group=group, strides=[stride] * 2, pads=pads)

    def relu6(self, x: str) -> str:
        return self.add("Clip", x, self.constant(np.float32(0)), self.constant(np.float32(6)))

    def block(self, x: str, number: int) -> str:
        name, y, stride = f"block_{number}", x, 2 if number in _STRIDED else 1
        if f"{name}/expand" in self.weights:
            y = self.relu6(self.convolution(y, f"{name}/expand"))
        y = self.relu6(self.convolution(y, f"{name}/depthwise", stride))
        y = self.convolution(y, f"{name}/project")
        first = self.weights.get(f"{name}/expand", self.weights[f"{name}/depthwise"])["kernel"]
        channels = first.shape[-2] if first.ndim == 2 else first.shape[-1]
        same = stride == 1 and channels == self.weights[f"{name}/project"]["kernel"].shape[1]
        return self.add("Add", x, y) if same else y

    def separable(self, x: str, name: str) -> str:
        x = self.convolution(x, f"{name}/depthwise")
        return self.add("Relu", self.convolution(x, f"{name}/pointwise"))

    def doubled(self, x: str) -> str:
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        return self.add("Resize", x, "", scales, **how)


def movenet_model(weights: Mapping[str, Layer], height: int, width: int) -> bytes:
    """The model's bytes: image uint8 [1, H, W, 3] in; maps [1, H / 4, W / 4, C] out, by head."""
    graph = _Graph(weights)
    x = graph.add("Cast", "image", to=TensorProto.FLOAT)
    x = graph.add("Transpose", x, perm=[0, 3, 1, 2])
    x = graph.add("Mul", x, graph.constant(np.float32(0.007843017578125)))
    x = graph.add("Sub", x, graph.constant(np.float32(1)))
    x = graph.relu6(graph.convolution(x, "stem", 2))
    outputs = []
    for number in range(_BLOCKS):
        x = graph.block(x, number)
        outputs.append(x)
    x = graph.convolution(graph.relu6(graph.convolution(x, "last")), "top")
    for level, block in enumerate(_LATERAL):
        lateral = graph.convolution(outputs[block], f"lateral_{level}")
        x = graph.separable(graph.add("Add", graph.doubled(x), lateral), f"pyramid_{level}")
    heads = [head for head in _HEADS if f"{head}/out" in weights]
    for head in heads:
        y = graph.convolution(graph.separable(x, head), f"{head}/out")
        graph.nodes.append(helper.make_node("Transpose", [y], [head], perm=[0, 2, 3, 1]))
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, [1, height, width, 3])
    shape = [1, height // 4, width // 4, "channels"]
    results = [helper.make_tensor_value_info(h, TensorProto.FLOAT, shape) for h in heads]
    parts = helper.make_graph(graph.nodes, "movenet", [image], results, graph.constants)
    model = helper.make_model(parts, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()
