"""An ONNX graph while it is written: nodes, constants, and values that may still be stretched.

A value knows the shape that JAX gives it and the shape it is held in, which has 1 where JAX has
broadcast it. ONNX broadcasts by itself, so most are never written out at their whole size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import onnx
from onnx import helper, numpy_helper

OPSET = 17
FREE = 7919  # stands for a batch of any size while tracing: a prime that no other size divides by
_LARGEST = np.iinfo(np.int64).max
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Value:
    """A constant (`data` an array) or a tensor of the graph (`data` its name)."""

    data: np.ndarray | str
    held: Shape
    shape: Shape
    dtype: np.dtype

    @property
    def is_constant(self) -> bool:
        return not isinstance(self.data, str)

    @property
    def stretched(self) -> bool:
        return self.held != self.shape


def constant(array: np.ndarray) -> Value:
    array = np.asarray(array)
    return Value(array, array.shape, array.shape, array.dtype)


@dataclass
class Graph:
    """Collects nodes in the order in which they run."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[tuple, onnx.TensorProto] = field(default_factory=dict)
    batch_source: str = ""  # a tensor whose first dimension is the free batch

    def emit(self, operation: str, inputs: Sequence[str], **attributes) -> str:
        """Adds a node with one output; returns the output's name."""
        return self.emit_many(operation, inputs, 1, **attributes)[0]

    def emit_many(
        self, operation: str, inputs: Sequence[str], count: int, **attributes
    ) -> list[str]:
        """Adds a node; returns the names of its outputs."""
        number = len(self.nodes)
        outputs = [f"{operation}_{number}" + f"_{i}" * (count > 1) for i in range(count)]
        self.nodes.append(helper.make_node(operation, list(inputs), outputs, **attributes))
        return outputs

    def name(self, value: Value) -> str:
        """The tensor of a value as it is held; a constant becomes an initializer, each once."""
        return self.array(value.data) if value.is_constant else value.data

    def array(self, array: np.ndarray) -> str:
        """The name of that constant."""
        array = np.ascontiguousarray(array) if np.ndim(array) else np.asarray(array)
        key = (array.shape, array.dtype.str, array.tobytes())
        if key not in self.constants:
            name = f"constant_{len(self.constants)}"
            self.constants[key] = numpy_helper.from_array(array, name)
        return self.constants[key].name

    def initializers(self) -> list[onnx.TensorProto]:
        """The constants that a node reads."""
        read = {name for node in self.nodes for name in node.input}
        return [array for array in self.constants.values() if array.name in read]

    def numbers(self, values: Sequence[int]) -> str:
        """The name of a constant list of int64."""
        return self.array(np.array(values, np.int64))

    def whole(self, value: Value) -> str:
        """The tensor of a value at its whole size."""
        if not value.stretched:
            return self.name(value)
        if value.is_constant and not is_free(value.shape):
            return self.array(np.broadcast_to(value.data, value.shape))
        pairs = zip(value.held, value.shape, strict=True)
        target = [1 if held == size else size for held, size in pairs]
        return self.emit("Expand", [self.name(value), self.sizes(target)])

    def sizes(self, shape: Shape) -> str:
        """A list of int64 with the free batch filled in when the graph runs."""
        if not is_free(shape):
            return self.numbers(shape)
        place = next(i for i, size in enumerate(shape) if size % FREE == 0 and size)
        batch = self.emit("Shape", [self.batch_source], end=1)
        if shape[place] != FREE:
            batch = self.emit("Mul", [batch, self.numbers([shape[place] // FREE])])
        before, after = shape[:place], shape[place + 1 :]
        parts = [
            *[self.numbers(before)] * bool(before),
            batch,
            *[self.numbers(after)] * bool(after),
        ]
        return self.emit("Concat", parts, axis=0) if len(parts) > 1 else batch

    def reshape(self, tensor: str, shape: Shape) -> str:
        """The tensor in that shape, whose free dimension follows from the others."""
        return self.emit("Reshape", [tensor, self.numbers([-1 if _free(n) else n for n in shape])])

    def slice(self, tensor: str, starts: Shape, stops: Shape, steps: Shape) -> str:
        """Along every axis; what ends at the free batch's end goes to wherever that is."""
        stops = [_LARGEST if _free(n) else n for n in stops]
        lists = (starts, stops, range(len(starts)), steps)
        return self.emit("Slice", [tensor, *(self.numbers(list(n)) for n in lists)])


def _free(size: int) -> bool:
    return size > 0 and size % FREE == 0


def is_free(shape: Shape) -> bool:
    """Whether a dimension is the batch's, of any size."""
    return any(map(_free, shape))


def reheld(value: Value, data: np.ndarray | str, held: Shape, shape: Shape) -> Value:
    return replace(value, data=data, held=tuple(held), shape=tuple(shape))


def tensor(name: str, shape: Sequence[int], dtype) -> Value:
    return Value(name, tuple(shape), tuple(shape), np.dtype(dtype))


def element_type(dtype) -> int:
    """ONNX's number for a dtype."""
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def value_info(name: str, shape: Shape, dtype) -> onnx.ValueInfoProto:
    """Describes an input or output; its free dimension is called 'batch'."""
    sizes = ["batch" if _free(n) else n for n in shape]
    return helper.make_tensor_value_info(name, element_type(dtype), sizes)
