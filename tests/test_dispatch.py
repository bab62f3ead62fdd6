"""Several steps in a call, and keypoints that stay on the devices: the same run, to the bit.

Everything is real here but the network, which is one that compiles in no time.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posec3d_jax import train
from posec3d_jax.data.feed.pipeline import train_batches
from posec3d_jax.data.stored.sources import open_source
from posec3d_jax.machine.sharding import make_mesh
from posec3d_jax.runs.checkpoints import find_checkpoint, load_raw_model
from posec3d_jax.runs.feeding import make_resident
from posec3d_jax.runs.metric_writer import METRICS_FILE, read_metrics
from posec3d_jax.skeletons.needs import Needs
from posec3d_jax.steps import resident
from tests.test_resume import _create_state, _make_train_step
from tests.tiny import tiny_config

CLOCK = ("train/clips_per_second", "train/waiting_for_input")  # differ from run to run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("dispatch")


@pytest.fixture(scope="module", autouse=True)
def small_network():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "create_state", _create_state)
        patch.setattr(train, "make_train_step", _make_train_step)
        yield


def _config(folder, **keys):
    """15 steps, five an epoch, of a run that logs every fourth."""
    config = tiny_config(folder)
    config.data.val_split, config.train.log_every, config.train.epochs = "", 4, 3
    config.update_from_flattened_dict(keys)
    return config


def _run(config, workdir, devices=2, **options):
    train.train_and_evaluate(config, workdir, make_mesh(jax.devices()[:devices]), **options)
    lines = [
        {k: v for k, v in x.items() if k not in CLOCK} for x in read_metrics(workdir / METRICS_FILE)
    ]
    return lines, load_raw_model(find_checkpoint(workdir))


@pytest.fixture(scope="module")
def plain(folder):
    return _run(_config(folder), folder / "plain")


@pytest.mark.parametrize(
    "keys",
    [
        {"train.steps_per_dispatch": 3},
        {"data.resident": True},
        {"data.resident": True, "train.steps_per_dispatch": 2},
    ],
    ids=lambda keys: "+".join(keys),
)
def test_the_run_is_the_same(folder, plain, tmp_path, keys):
    calls, config = [], _config(folder, **keys)
    found = _run(config, tmp_path, after_step=lambda plan, step: calls.append(step))
    assert found[0] == plain[0]
    jax.tree.map(np.testing.assert_array_equal, found[1], plain[1])
    expected = {3: [3, 4, 5, 8, 9, 10, 11, 12, 15], 2: [2, 4, 5, 7, 8, 10, 12, 14, 15]}
    most = keys.get("train.steps_per_dispatch", 1)
    assert calls == expected.get(most, list(range(1, 16)))


def test_a_step_that_is_not_finite_is_named_within_its_call(folder, tmp_path, monkeypatch):
    def make(*options):
        step = _make_train_step(*options)

        def broken(state, batch, key):
            state, metrics = step(state, batch, key)
            return state, metrics | {"loss": jnp.where(state.step == 6, jnp.nan, metrics["loss"])}

        return broken

    monkeypatch.setattr(train, "make_train_step", make)
    with pytest.raises(FloatingPointError, match="at step 6; up to step 5 all was finite"):
        _run(_config(folder, **{"train.steps_per_dispatch": 3, "train.log_every": 100}), tmp_path)


@pytest.mark.parametrize("motion", [False, True])
@pytest.mark.parametrize("loader", ["threads", "tf"])
def test_rows_read_on_the_device_are_the_batches_of_the_host(folder, motion, loader):
    config = _config(folder, **{"data.resident": True})
    source = open_source(config.data, "train")
    packed, pack = make_resident(config.data, source, make_mesh(jax.devices()[:2]))
    assert len(packed.score) < len(source.score)  # other splits stay away
    needs = {"pose": Needs(config.sampling.num_frames, following=motion)}
    options = {"sampling": config.sampling, "needs": needs}
    options |= {"seed": 3, "batch_size": 30, "num_steps": 3}
    pairs = zip(
        train_batches(source, **options),
        train_batches(packed, **options, loader=loader, rows=True),
        strict=True,
    )
    for expected, named in pairs:
        found = jax.jit(resident.read)(pack, named)
        jax.tree.map(np.testing.assert_array_equal, dict(found), expected)
    assert motion == bool(np.isnan(expected["keypoint"]).any())


def test_what_cannot_be_resident_is_refused(folder):
    config = _config(folder, **{"data.resident": True})

    class Streamed:
        """Neither rows nor arrays."""

    with pytest.raises(ValueError, match="config.data.resident: these clips are streamed"):
        make_resident(config.data, Streamed(), make_mesh())

    class Full:
        def memory_stats(self):
            return {"bytes_limit": 2_000_000, "bytes_in_use": 1_999_000}

    class Mesh:
        local_devices = (Full(),)

    with pytest.raises(ValueError, match=r"config.data.resident: the training split takes .* GB"):
        make_resident(config.data, open_source(config.data, "train"), Mesh())
