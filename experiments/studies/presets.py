"""Data sets and sizes of studies: a small preset for two CPU cores, and the paper's setting."""

import importlib
from pathlib import Path
from typing import Any

from posec3d_jax.data.stored.info import INFO_FILE
from posec3d_jax.prepare import prepare
from posec3d_jax.skeletons.skeleton import Skeleton, get_skeleton

PRESETS = ("small", "paper")
FRAMES, SIZE = 16, 24  # of the small preset: of every network; of volumes, pixels
SMALL_VOLUMES = f"C3D-light of half the width on {FRAMES} x {SIZE} x {SIZE} volumes"
SMALL = f"{SMALL_VOLUMES} and ST-GCN++ of a quarter of the width on {FRAMES} frames"
FOLDER = "data/studies"  # where data sets go that only studies need
KINECT_CAMERA = dict(kind="perspective", image_size=(240, 320), focal=285.63, yaw=0.0, pitch=0.0)


def config_of(data_set: str, network: str, stream: str = "joint") -> Any:
    """The config of configs/<data_set>.py for that network, by the published recipe."""
    module = importlib.import_module(f"configs.{data_set}")
    words = [stream, network, *(["published"] if hasattr(module, "RECIPES") else [])]
    return module.get_config("-".join(words))


def skeleton_of(config) -> Skeleton:
    """The joints that the config's networks see."""
    return get_skeleton(config.data.remap_to or config.data.skeleton)


def make_small(config, passes: int) -> None:
    """A training of minutes on one core: few frames, small volumes, `passes` over the clips.

    The width stays that of the data set's own small config.
    """
    config.sampling.num_frames = FRAMES
    config.volume.train_size = config.volume.test_size = (SIZE, SIZE)
    config.data.repeat, config.train.epochs = passes, 1
    config.data.storage = "pack"


def convert_joints(config, layout: Skeleton) -> None:
    """Makes `prepare` convert the joints to this layout, in a folder for that layout."""
    with config.ignore_type():
        config.data.remap_to = layout.to_dict()
    config.data.dir = f"{FOLDER}/{Path(config.data.dir).name}_{layout.num_joints}_joints"


def prepare_once(config, sources: dict[str, str], videos: dict[str, str], frames: int = 0) -> None:
    """Prepares the config's data set unless that is done.

    Args:
      config: whose data set.
      sources: files or folders by format; those of the directory format by the name of `data.dir`.
      videos: by the same names, the folders of the clips' videos, which RGB is taken from.
      frames: short side of the RGB frames to store; 0 for a data set of poses alone.

    Raises:
      ValueError: it is not done, and `sources` does not say from what.
    """
    if (Path(config.data.dir) / INFO_FILE).is_file():
        return
    made, own = config.data.format == "simulated", config.data.format == "directory"
    name = Path(config.data.dir).name if own else config.data.format
    if not made and name not in sources:
        raise ValueError(
            f"{config.data.dir} is not prepared; say where its files are: "
            f"--source={name}=<file or folder>"
        )
    if frames and name not in videos:
        raise ValueError(
            f"{config.data.dir} is not prepared; say where its videos are: --videos={name}=<folder>"
        )
    config = config.copy_and_resolve_references()
    config.data.source = sources.get(name, "")
    config.data.video_root = videos[name] if frames else ""
    prepare(config.data, frames=frames)
