"""The peers of the benchmarks do the same work: equal volumes, equal logits."""

import importlib.util

import jax
import numpy as np
import pytest

from benchmarks import scaling
from benchmarks.clips import make_clips
from benchmarks.numpy_renderer import keypoint_volume, limb_volume
from benchmarks.traffic import traffic
from posec3d_jax.encoders.heatmaps import keypoint_heatmaps, limb_heatmaps
from posec3d_jax.networks import create_model
from posec3d_jax.skeletons.skeleton import get_skeleton
from posec3d_jax.weights import names

SIZE = (20, 24)


def _small_clip():
    clip = make_clips(1, 2, 3)
    keypoint = (clip["keypoint"] - (500, 200)) * 0.03
    return keypoint.astype(np.float32), clip["score"]


def test_numpy_draws_the_same_joints():
    keypoint, score = _small_clip()
    drawn = keypoint_volume(keypoint[0], score[0], SIZE)
    expected = keypoint_heatmaps(keypoint, score, SIZE)[0].transpose(3, 0, 1, 2)
    assert drawn.max() > 0.1
    np.testing.assert_allclose(drawn, expected, atol=1e-5)


def test_numpy_draws_the_same_limbs():
    keypoint, score = _small_clip()
    limbs = np.array(get_skeleton("coco_17").limbs)
    drawn = limb_volume(keypoint[0], score[0], limbs, SIZE)
    expected = limb_heatmaps(keypoint, score, limbs, SIZE)[0].transpose(3, 0, 1, 2)
    np.testing.assert_allclose(drawn, expected, atol=1e-5)


@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="PyTorch is not installed")
@pytest.mark.parametrize("network", ["slowonly", "c3d_light", "x3d_shallow"])
def test_torch_runs_the_same_network(network):
    import torch

    from benchmarks.torch_networks import Recognizer

    model = create_model({"name": network, "dropout": 0.0}, 60)
    volume = jax.random.uniform(jax.random.key(0), (1, 4, 16, 16, 17))
    variables = jax.jit(model.init)(jax.random.key(1), volume)
    peer = Recognizer(network, 17, 60).eval()
    state = {
        name: torch.from_numpy(names.to_reference(np.array(leaf)).copy())
        for name, (_, leaf) in names.leaves(variables).items()
    }
    missing, unexpected = peer.load_state_dict(state, strict=False)
    assert not unexpected and all(name.endswith(names.COUNTER) for name in missing)
    with torch.inference_mode():
        theirs = peer(torch.from_numpy(np.array(volume)).permute(0, 4, 1, 2, 3)).numpy()
    ours = jax.jit(model.apply)(variables, volume)["pose"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5 * np.abs(theirs).max())


PROGRAM = """HloModule jit_step

%fused (p: f32[8]) -> f32[8] {
  ROOT %inside = f32[8]{0} add(%p, %p)
}

ENTRY %main (a: bf16[4,8], b: f32[8]) -> f32[8] {
  %a = bf16[4,8]{1,0} parameter(0)
  %b = f32[8]{0} parameter(1)
  %gemm.3 = (bf16[4,8]{1,0}, s8[4096]{0}) custom-call(%a, %b), custom_call_target="__gemm"
  %part = bf16[4,8]{1,0} get-tuple-element(%gemm.3), index=0
  ROOT %add_fusion.7 = f32[8]{0} fusion(%part, %b), calls=%fused, metadata={op_name="net/bn"}
}
"""


def test_all_reduces_cost_their_latency_and_their_bytes_both_ways():
    machine = scaling.Machine("two", 2, 0.1, 1e9, 1e-3, 2)
    assert scaling.told(machine, 3, 10**9) == pytest.approx(3e-3 + 1.0)
    assert scaling.row(machine, 0, 0)["efficiency"] == 1


def test_traffic_counts_what_each_operation_reads_and_writes_once():
    gemm, fusion = 64 + 32 + 64, 64 + 32 + 32  # without the product's scratch space
    assert traffic(PROGRAM) == [(gemm, "__gemm", ""), (fusion, "add_fusion", "net/bn")]
