"""What is lost by storing coordinates instead of the estimator's whole heatmaps.

  posec3d extract <videos> --out=skeletons/ut_interaction_thunder --every=3 --heatmaps ...
  python -m experiments.studies.pose_storage --source=ut_interaction_thunder=<poses> \
      --source=ut_interaction_lightning=<poses> --source=utd_mhad_video_thunder=<poses> \
      --source=utd_mhad_video_lightning=<poses>

The same clips by a better and a worse estimator, as in the study `pose_quality`; each is kept as
heatmaps, or as coordinates and scores from which gaussians are drawn. Network, recipe, frames,
canvas and augmentation are the same; what is stored takes bytes that the table tells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags, logging

from experiments.studies import command, pose_quality
from experiments.studies.pose_quality import DATA_SETS, ESTIMATORS
from experiments.studies.presets import SMALL_VOLUMES
from experiments.studies.report import Study
from experiments.studies.stored_volumes import STORED, Clip, read_clips
from experiments.studies.tables import Table
from posec3d_jax.data.feed.sampling import test_frames, train_frames
from posec3d_jax.encoders.encoder import Encoder
from posec3d_jax.files import disk
from posec3d_jax.machine.host import compiler_options
from posec3d_jax.skeletons.needs import Needs
from posec3d_jax.skeletons.skeleton import get_skeleton
from posec3d_jax.steps.optimizer import make_optimizer, make_schedule
from posec3d_jax.steps.recognizer import (
    Recognizer,
    create_state,
    make_eval_step,
    make_recognizer,
    make_train_step,
)

SHIFT = 2  # pixels, at most, that a training volume is moved by
DIFFERS = (
    "UT-Interaction and UTD-MHAD's depth video instead of FineGYM, where heatmaps are worth 0.4 "
    "points (HRNet) and 2 points (MobileNet)",
    "MoveNet's Thunder and Lightning instead of HRNet and MobileNet",
    f"{SMALL_VOLUMES} by the recipe for few clips, scores as heights; volumes are mirrored (not "
    "UTD-MHAD's) and moved by two pixels instead of cropped",
    "one test clip instead of ten; top-1 instead of mean class accuracy",
)


def recognizer_of(config) -> Recognizer:
    """The config's network, for batches that hold volumes [B, T, S, S, V] already."""
    skeleton = get_skeleton(config.data.skeleton)
    frames, size = config.sampling.num_frames, config.volume.train_size
    mirror = jnp.array(skeleton.flip_joints)

    def train(batch: Mapping[str, jax.Array], key: jax.Array) -> jax.Array:
        flip_key, move_key = jax.random.split(key)
        volume = batch["volume"].astype(jnp.float32)
        chosen = jax.random.bernoulli(flip_key, config.geometry.flip, (len(volume),))
        mirrored = volume[:, :, :, ::-1][..., mirror]
        volume = jnp.where(chosen[:, None, None, None, None], mirrored, volume)
        return jax.vmap(_moved)(volume, jax.random.split(move_key, len(volume)))

    def test(batch: Mapping[str, jax.Array], num_clips: int, flip_views: bool) -> jax.Array:
        return batch["volume"].astype(jnp.float32)[:, None]

    shape = (frames, *size, skeleton.num_joints)
    encoder = Encoder({"pose": Needs(frames)}, train, test, shape, shape)
    return replace(make_recognizer(config), encoder=encoder)


def _moved(volume: jax.Array, key: jax.Array) -> jax.Array:
    """One volume [T, H, W, C] moved by some pixels, zeros where it was."""
    edges = (SHIFT, SHIFT)
    padded = jnp.pad(volume, ((0, 0), edges, edges, (0, 0)))
    y, x = jax.random.randint(key, (2,), 0, 2 * SHIFT + 1)
    return jax.lax.dynamic_slice(padded, (0, y, x, 0), volume.shape)


def train_and_test(config, train: Sequence[Clip], test: Sequence[Clip]) -> float:
    """Top-1 of the config's network, trained on some clips, on others."""
    recognizer, size = recognizer_of(config), config.train.batch_size
    passes = config.data.repeat * config.train.epochs
    steps = -(-len(train) // size) * passes
    schedule = make_schedule(config.optimizer, size, steps, steps)
    optimizer = make_optimizer(config.optimizer, schedule)
    options = {"compiler_options": compiler_options()}
    state = jax.jit(lambda key: create_state(recognizer, optimizer, key))(
        jax.random.key(config.seed)
    )
    step = jax.jit(
        make_train_step(recognizer, optimizer, config.train.label_smoothing),
        donate_argnums=0,
        **options,
    )
    rng, key = np.random.default_rng(config.seed), jax.random.key(config.seed + 1)
    for _ in range(passes):
        order = rng.permutation(len(train))
        order = np.resize(order, -(-len(train) // size) * size)
        for chosen in order.reshape(-1, size):
            state, _ = step(state, _training_batch([train[n] for n in chosen], config, rng), key)
    evaluate = jax.jit(make_eval_step(recognizer, 1, False), **options)
    variables = {"params": state.params, "batch_stats": state.batch_stats}
    right = [
        int(evaluate(variables, _test_batch(clip, config))["scores"].argmax()) == clip.label
        for clip in test
    ]
    return float(np.mean(right))


def _training_batch(clips: Sequence[Clip], config, rng: np.random.Generator) -> dict[str, Any]:
    lengths = np.array([len(clip.volume) for clip in clips])
    frames = train_frames(lengths, config.sampling.num_frames, rng)
    volume = np.stack([clip.volume[row] for clip, row in zip(clips, frames, strict=True)])
    return {"volume": volume, "label": np.array([clip.label for clip in clips])}


def _test_batch(clip: Clip, config) -> dict[str, Any]:
    frames = test_frames(len(clip.volume), config.sampling.num_frames, 1)
    return {"volume": clip.volume[frames][None], "label": np.array([clip.label])}


def measure(preset: str, folder: Path) -> list[dict[str, Any]]:
    """A row for every data set and estimator whose poses are given, seed and way of storing; each
    is kept when it is done.

    Raises:
      ValueError: `--source` says of none where they are.
    """
    sources = dict(pair.split("=", 1) for pair in flags.FLAGS.source)
    wanted = [(name, estimator) for name in DATA_SETS for estimator in ESTIMATORS]
    given = [pair for pair in wanted if "_".join(pair) in sources]
    if not given:
        raise ValueError(f"say where poses are: --source={'_'.join(wanted[0])}=<folder>")
    rows = []
    for pair in given:
        rows += _measured(preset, *pair, Path(sources["_".join(pair)]), folder)
    return rows


def _measured(
    preset: str, name: str, estimator: str, poses: Path, folder: Path
) -> list[dict[str, Any]]:
    rows = []
    for stored in STORED:
        clips: dict[str, list[Clip]] = {}
        for seed in map(int, flags.FLAGS.seeds):
            path = folder / "pose_storage" / f"{name}-{estimator}-{stored}-seed{seed}.json"
            found = disk.read_json(path)
            if not found:
                config = config_for(preset, name, estimator, seed)
                clips = clips or _clips(config, poses, stored)
                top1 = train_and_test(config, clips["train"], clips["test"])
                facts = {"network": config.model.name, "data set": name, "estimator": estimator}
                found = {**facts, "stored": stored, "seed": seed, "top1": top1}
                found["kB a clip"] = _kilobytes(poses, stored)
                found["clips"] = len(clips["test"])
                logging.info("%s", found)
                path.parent.mkdir(parents=True, exist_ok=True)
                disk.write_json(path, found)
            rows.append(found)
    return rows


def config_for(preset: str, name: str, estimator: str, seed: int) -> Any:
    """That of `pose_quality`, with scores as heights, which heatmaps have, too."""
    config = pose_quality.config_for(preset, name, estimator, seed)
    config.volume.use_score = True
    return config


def _clips(config, poses: Path, stored: str) -> dict[str, list[Clip]]:
    splits = {"train": config.data.train_split, "test": config.data.test_split}
    size, persons = config.volume.train_size[0], config.data.max_persons
    return {
        side: list(read_clips(poses, split, stored, persons, size))
        for side, split in splits.items()
    }


def _kilobytes(poses: Path, stored: str) -> float:
    """Of one clip's file, compressed, the mean."""
    files = list(poses.rglob("*.heatmaps" if stored == "heatmaps" else "*.npz"))
    return float(np.mean([file.stat().st_size for file in files])) / 1000


def report(preset: str, rows: list[dict[str, Any]]) -> Study:
    """Accuracy by what was stored, and what that takes."""
    lines = ("data set", "estimator")
    tables = [
        Table("Accuracy by what was stored", "top1", columns="stored", lines=lines),
        Table("Kilobytes a clip", "kB a clip", "stored", lines, unit="", in_picture=False),
    ]
    return Study(
        name="pose_storage",
        question="What is lost by storing coordinates instead of whole heatmaps?",
        preset=preset,
        rows=rows,
        tables=tables,
        differs=DIFFERS,
    )


if __name__ == "__main__":
    command.start(
        command.Command(lambda preset: [], lambda preset, seeds: [], report, measure=measure)
    )
