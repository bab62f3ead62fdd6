"""Top-down ONNX models, detectors and rtmlib's as estimators; the models are made here."""

import numpy as np
import pytest

from posec3d_jax.poses.detector import OnnxDetector, read_boxes
from posec3d_jax.poses.estimator import make_people, nobody
from posec3d_jax.poses.onnx import OnnxTopDown, read_answer
from posec3d_jax.poses.opening import open_estimator
from posec3d_jax.poses.rtmlib import Rtmlib
from posec3d_jax.skeletons.skeleton import SKELETONS

SIZE = (64, 48)


class _Finder:
    """Knows where somebody is."""

    skeleton = SKELETONS["coco_17"]

    def __call__(self, image, known=None):
        corners = np.array([[[80, 40], [140, 120]]], np.float32)
        return make_people(np.resize(corners, (1, 17, 2)), np.ones((1, 17)))


def _model(path, kind: str, joints: int = 17):
    """A network whose every joint is where the picture is brightest."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants = [], []

    def add(op, *inputs, output=None, **attributes):
        nodes.append(helper.make_node(op, inputs, [output or f"n{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    def constant(values):
        constants.append(numpy_helper.from_array(np.array(values, np.int64), f"c{len(constants)}"))
        return constants[-1].name

    grey = add("ReduceMax", "image", axes=[1], keepdims=1)  # [N, 1, H, W]
    grey = add("Sigmoid", grey)
    if kind == "heatmap":
        small = add("AveragePool", grey, kernel_shape=[4, 4], strides=[4, 4])
        add("Expand", small, constant([1, joints, 1, 1]), output="heatmaps")
        outputs = {"heatmaps": 4}
    else:
        for name, axis in (("simcc_x", 2), ("simcc_y", 3)):
            profile = add("ReduceMax", grey, axes=[axis], keepdims=0)  # [N, 1, W] or [N, 1, H]
            add("Expand", profile, constant([1, joints, 1]), output=name)
        outputs = {"simcc_x": 3, "simcc_y": 3}
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, *SIZE])
    results = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * rank)
        for name, rank in outputs.items()
    ]
    graph = helper.make_graph(nodes, "brightest", [image], results, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("kind", ["simcc", "heatmap"])
def test_joints_are_where_the_model_says(tmp_path, kind):
    pytest.importorskip("onnxruntime", reason="ONNX Runtime (extra 'onnx') is not installed")
    estimator = OnnxTopDown(_model(tmp_path / "model.onnx", kind), _Finder())
    image = np.full((200, 300, 3), 30, np.uint8)
    image[88:96, 118:126] = 255
    for known in (None, _Finder()(image)):
        people = estimator(image, known)
        assert people.keypoint.shape == (1, 17, 2) and people.confidence[0] > 0.5
        np.testing.assert_allclose(people.keypoint[0], np.resize((121, 91), (17, 2)), atol=5)
    assert len(estimator(image, nobody(17))) == 0


def test_what_is_no_such_model_is_told(tmp_path):
    pytest.importorskip("onnxruntime", reason="ONNX Runtime (extra 'onnx') is not installed")
    with pytest.raises(FileNotFoundError, match="there is no such model"):
        open_estimator(str(tmp_path / "none.onnx"))
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ValueError, match="no model that ONNX Runtime can read"):
        OnnxTopDown(tmp_path / "text.onnx", _Finder())
    odd = _model(tmp_path / "odd.onnx", "heatmap", joints=5)
    with pytest.raises(ValueError, match="gives 5 joints; say which layout"):
        OnnxTopDown(odd, _Finder())
    with pytest.raises(ValueError, match="gives 5 joints, and coco_17 has 17"):
        OnnxTopDown(odd, _Finder(), layout="coco_17")
    with pytest.raises(ValueError, match="expected SimCC"):
        read_answer([np.zeros((1, 17, 3))], SIZE)
    with pytest.raises(ValueError, match="no pose estimator 'openpose'"):
        open_estimator("openpose")


def test_answers_are_read_to_a_fraction_of_a_pixel():
    x, y = np.zeros((1, 17, 96)), np.zeros((1, 17, 128))  # two bins a pixel
    x[..., 31], y[..., 64] = 0.7, 0.9
    place, score = read_answer([x, y], SIZE)
    np.testing.assert_allclose(place[0, 0] * SIZE, (32, 15.5))
    np.testing.assert_allclose(score, 0.7)
    heat = np.zeros((1, 17, 16, 12))
    heat[..., 5, 3], heat[..., 5, 4] = 1, 0.5
    place, _ = read_answer([heat], SIZE)
    np.testing.assert_allclose(place[0, 0] * SIZE, (4 * 5.5, 4 * 3.75))


def test_rtmlib_is_asked_in_its_own_way():
    def model(picture):
        assert picture[0, 0].tolist() == [3, 2, 1]  # BGR
        return np.ones((2, 17, 2)), np.full((2, 17), 1.5)

    people = Rtmlib(model)(np.broadcast_to(np.array([1, 2, 3], np.uint8), (4, 4, 3)))
    assert len(people) == 2 and people.score.max() == 1
    assert len(Rtmlib(lambda picture: ([], np.zeros(0)))(np.zeros((4, 4, 3), np.uint8))) == 0


def _detector(path, boxes, labels):
    """A network that says the same of every picture."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    from onnx import TensorProto, helper, numpy_helper

    answers = {"dets": np.array([boxes], np.float32), "labels": np.array([labels], np.int64)}
    kinds = {"dets": TensorProto.FLOAT, "labels": TensorProto.INT64}
    graph = helper.make_graph(
        [helper.make_node("Identity", [f"{name}_is"], [name]) for name in answers],
        "constant",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, *SIZE])],
        [helper.make_tensor_value_info(name, kinds[name], answers[name].shape) for name in answers],
        [numpy_helper.from_array(value, f"{name}_is") for name, value in answers.items()],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path
    )
    return path


def test_a_detector_tells_the_others_where_people_are(tmp_path):
    """More than MultiPose would; each once, no dogs, in pixels of the picture."""
    pytest.importorskip("onnxruntime", reason="ONNX Runtime (extra 'onnx') is not installed")
    people = [[x, y, x + 2, y + 5, 0.9] for x in range(0, 30, 3) for y in range(0, 18, 6)]
    others = [[0, 0, 2, 4.9, 0.8], [40, 0, 46, 9, 0.9], [30, 30, 31, 31, 0.1], [30, 5, 30, 9, 0.9]]
    path = _detector(tmp_path / "dets.onnx", people + others, [0] * 30 + [0, 16, 0, 0])
    detector = OnnxDetector(path)
    image = np.full((128, 288, 3), 30, np.uint8)  # six times as wide as the network's picture
    found = detector(image)
    assert len(found) == 30 and (found.confidence >= 0.8).all()
    np.testing.assert_allclose(found.box[found.box[:, 0].argmin()][2], 12, atol=1e-3)
    image[:] = 220
    model = _model(tmp_path / "model.onnx", "simcc")
    both = open_estimator(f"{path}+{model}")
    assert len(both(image)) == 30
    with pytest.raises(ValueError, match="finds people by itself"):
        open_estimator(f"{path}+multipose")


def test_grids_of_boxes_are_read():
    size, rows = (64, 32), np.zeros((1, 8 * 4 + 4 * 2 + 2, 5 + 3), np.float32)
    rows[0, 4 * 3 + 2] = 0.5, 0.25, np.log(2), np.log(3), 0.9, 0.8, 0.1, 0  # row 3, column 2 of 8s
    rows[0, 41] = 0, 0, 0, 0, 1, 0.1, 0.9, 0  # something else
    box, confidence = read_boxes([rows], size)
    np.testing.assert_allclose(box, [[20 - 8, 26 - 12, 20 + 8, 26 + 12]], rtol=1e-6)
    np.testing.assert_allclose(confidence, [0.72], rtol=1e-6)
    with pytest.raises(ValueError, match=r"expected boxes \[1, N, 5\]"):
        read_boxes([np.zeros((1, 84, 8400))], size)
