"""Frame sampling: index parity with the references, the training distribution, fixed stride."""

import json

import numpy as np
import pytest

from posec3d_jax.data.feed.sampling import stride_frames, test_frames, train_frames, uniform_sample


@pytest.mark.parametrize(
    "file, reference",
    [("uniform_sample.npz", "pyskl"), ("uniform_sample_mmaction2.npz", "mmaction2")],
)
def test_frames_equal_the_reference(shared, file, reference):
    with np.load(shared / "parity" / file) as arrays:
        cases = json.loads(str(arrays["meta_json"]))["cases"]
        assert len(cases) > 200
        for case in cases:
            frames = uniform_sample(
                case["total_frames"],
                case["clip_len"],
                case["num_clips"],
                rng=np.random.RandomState(case["seed"]),
                test=case["mode"] == "test",
                p_interval=case["p_interval"],
                reference=reference,
            )
            np.testing.assert_array_equal(frames, arrays[case["key"]], str(case))


def test_test_frames_are_fixed_and_differ_by_reference():
    first = test_frames(100, 48, 10)
    np.testing.assert_array_equal(first, test_frames(100, 48, 10))
    assert first.shape == (480,)
    assert not np.array_equal(first, test_frames(100, 48, 10, 255, "mmaction2"))
    with pytest.raises(ValueError, match="sampling.reference"):
        test_frames(100, 48, 10, 255, "mmaction3")


@pytest.mark.parametrize("length", [1, 5, 47, 48, 60, 95, 96, 97, 300])
def test_training_frames_are_distributed_as_the_reference(length):
    """Position by position, the mean frame of many draws agrees with the reference's."""
    draws = 4000
    ours = train_frames(np.full(draws, length), 48, np.random.default_rng(0))
    rng = np.random.RandomState(0)
    theirs = np.stack([uniform_sample(length, 48, 1, rng=rng, test=False) for _ in range(draws)])
    assert ours.dtype == np.int32
    assert ours.min() >= 0 and ours.max() < length
    tolerance = 5 * theirs.std(axis=0) * np.sqrt(2 / draws) + 1e-9
    assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) <= tolerance).all()
    assert np.allclose(ours.std(axis=0), theirs.std(axis=0), rtol=0.2, atol=1e-9)


def test_training_frames_of_a_mixed_batch_stay_in_their_clips():
    lengths = np.arange(1, 400)
    frames = train_frames(lengths, 48, np.random.default_rng(1))
    assert (frames < lengths[:, None]).all()
    steps = np.diff(frames[lengths >= 48], axis=1)
    assert (steps >= 1).all(), "from 48 frames on no frame comes twice"


def test_training_frames_depend_on_the_row_alone():
    lengths = np.array([30, 70, 200, 48])
    batch = train_frames(lengths, 48, np.random.default_rng(3))
    lengths[1] = 10
    again = train_frames(lengths, 48, np.random.default_rng(3))
    np.testing.assert_array_equal(np.delete(batch, 1, 0), np.delete(again, 1, 0))


def test_stride_frames():
    lengths = np.array([100, 20, 1])
    frames = stride_frames(lengths, 8, 4, np.random.default_rng(0))
    assert frames.shape == (3, 8) and (frames < lengths[:, None]).all()
    assert (np.diff(frames[0]) == 4).all()
    assert (np.diff(frames[1]) % 20 == 4).all(), "a short video wraps"
    centred = stride_frames(lengths, 8, 4)
    np.testing.assert_array_equal(centred[0], 36 + 4 * np.arange(8))
    starts = stride_frames(lengths, 8, 4, num_clips=3).reshape(3, 3, 8)[0, :, 0]
    np.testing.assert_array_equal(starts, [12, 36, 60])
    with pytest.raises(ValueError, match="sampling.stride"):
        stride_frames(lengths, 8, 0)


def test_a_clip_without_frames_is_refused():
    with pytest.raises(ValueError, match="row 1|clip 1"):
        train_frames(np.array([5, 0]), 48, np.random.default_rng(0))
    with pytest.raises(ValueError, match="at least one frame"):
        test_frames(0, 48, 1)
