"""Makes posec3d_jax/weights/index.tsv of a table of the projects' published checkpoints.

  python -m experiments.weights_index --table=weights.tsv

The table has a line a checkpoint, as PYSKL's and mmaction2's README files list them: project, its
config or group, address, accuracy, data set; separated by tabs. Names follow from the addresses.
"""

import argparse
import re
from dataclasses import astuple, fields
from pathlib import Path

from posec3d_jax.files.disk import write_whole
from posec3d_jax.weights.index import INDEX, Entry

STREAMS = {"j": "joint", "b": "bone", "jm": "joint_motion", "bm": "bone_motion"}
STREAMS |= {"keypoint": "joint", "limb": "limb", "joint": "joint", "s1_joint": "joint"}
STREAMS |= {f"{kind}-motion": f"{kind}_motion" for kind in ("joint", "bone")} | {"bone": "bone"}
RGBPOSE = {
    "rgb_only": "rgb",
    "pose_only": "pose",
    "rgbpose_conv3d_init": "init",
    "rgbpose_conv3d": "both",
}
LICENCE = "Apache-2.0"  # of both projects; the checkpoints are published under it
_HASH = re.compile(r"_\d{8}-([0-9a-f]{8})\.pth$")


def entry(line: str) -> Entry:
    """One line of the table as an entry of the index.

    Raises:
      ValueError: an address that follows none of the projects' patterns.
    """
    project, _, address, accuracy, _ = line.rstrip("\n").split("\t")
    url = address.replace("http://", "https://")  # the same host serves both
    hashed = _HASH.search(url)
    benchmark, poses, network, stream = (_pyskl if project == "pyskl" else _mmaction2)(url)
    parts = (benchmark + "_3d" * (poses == "3d"), network, stream)
    name = "-".join((*["mmaction2"] * (project == "mmaction2"), *parts))
    accuracy = accuracy if re.fullmatch(r"[\d.]+", accuracy) else ""
    facts = (accuracy, LICENCE, hashed[1] if hashed else "", url)
    return Entry(name, project, benchmark, poses, network, stream, *facts)


def _pyskl(url: str) -> tuple[str, str, str, str]:
    """Benchmark, poses, network and stream of .../ckpt/GROUP/CONFIG/FILE.pth."""
    parts = url.removesuffix(".pth").split("/ckpt/")[1].split("/")
    if parts[0] == "rgbpose_conv3d":
        return _rgbpose(parts[-1])
    group, config, file = parts
    if group == "posec3d":
        return *_volume(config), STREAMS[file]
    benchmark, input_ = re.search(r"(ntu\d+_x[a-z]+)_(3dkp|hrnet)$", config).groups()
    network = {"strong_aug": "stgcnpp_strong_aug"}.get(group, group)
    network += "_vanilla" * ("vanilla" in config)
    return benchmark, {"3dkp": "3d"}.get(input_, input_), network, STREAMS[file]


def _volume(config: str) -> tuple[str, str, str]:
    """Benchmark, poses and network of configs such as 'slowonly_r50_346_k400'."""
    network, rest = re.match(r"(slowonly_r50|c3d_light|x3d_shallow)_(.+)$", config).groups()
    network = network.removesuffix("_r50")
    if blocks := re.match(r"(346|463)_", rest):
        network, rest = f"{network}_{blocks[1]}", rest[4:]
    return rest.replace("_k400p", "_split1"), "hrnet", network


def _mmaction2(url: str) -> tuple[str, str, str, str]:
    """The same of .../skeleton/GROUP/CONFIG/CONFIG_DATE-HASH.pth."""
    file = _HASH.sub("", url.rsplit("/", 1)[1])
    if file in RGBPOSE:
        return _rgbpose(file)
    if volume := re.match(r"slowonly_.*e_(\w+(?:-\w+)*)-(keypoint|limb)$", file):
        benchmark, stream = volume.groups()
        return benchmark.replace("-", "_"), "hrnet", "slowonly", STREAMS[stream]
    pattern = r"([\w-]+)_8xb16-([\w-]+)-u100-80e_(ntu\d+)-(x[a-z]+)-keypoint-([23])d$"
    network, stream, data, split, dimensions = re.match(pattern, file).groups()
    poses = "hrnet" if dimensions == "2" else "3d"
    return f"{data}_{split}", poses, network.replace("-", "_"), STREAMS[stream]


def _rgbpose(file: str) -> tuple[str, str, str, str]:
    return "ntu60_xsub", "rgb", "rgbpose_conv3d", RGBPOSE[file]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--table", type=Path, required=True, help="The projects' tables, as text.")
    table = parser.parse_args().table.read_text(encoding="utf-8").splitlines()[1:]
    rows = ["\t".join(field.name for field in fields(Entry))]
    rows += ["\t".join(astuple(entry(line))) for line in table if line]
    write_whole(INDEX, "\n".join(rows) + "\n")
    print(f"{INDEX}: {len(rows) - 1} checkpoints")


if __name__ == "__main__":
    main()
