"""What the number of persons costs: one volume for everybody, or a graph for each of them.

  python -m experiments.studies.scalability --preset=small --workdir=runs/studies

For 1 to 32 persons: parameters, multiply-adds, time and memory of a training step and of a test,
and the share of the step that drawing takes. Then the paper's group activities: Volleyball's 13
persons and 20 frames, and simulated crowds of as many, are counted and timed; the paper's preset
also trains on the crowds. Times are kept round by round, so that a study which was stopped goes on.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from experiments.studies import command, cost
from experiments.studies.presets import config_of
from experiments.studies.report import Study
from experiments.studies.runs import Job, Test
from experiments.studies.tables import Table
from posec3d_jax.config import networks
from posec3d_jax.steps.protocol import ONE_CLIP

PERSONS = (1, 2, 4, 8, 13, 16, 32)
COUNTED = tuple(networks.ALL_NETWORKS)
TIMED = {
    "small": ("slowonly", "stgcnpp"),
    "paper": ("slowonly", "c3d_light", "x3d_shallow", "stgcn", "stgcnpp", "msg3d"),
}
BATCH = {"small": 1, "paper": 32}
ROUNDS = {"small": 5, "paper": 15}
SECONDS = 0.3  # a case is called that long in a round, and at least once
VOLLEYBALL, CROWD = "Volleyball, 13 x 20", "simulated crowds"
GROUP_NETWORKS = ("slowonly", "stgcnpp", "msg3d")
CROWD_NETWORKS = {"small": ("c3d_light", "stgcnpp"), "paper": ("slowonly", "stgcnpp", "msg3d")}
# Three seeds of the small networks would take two cores two hours; see configs/simulated_crowd.py.
TRAINED = {"small": (), "paper": CROWD_NETWORKS["paper"]}
PUBLISHED = [  # arXiv 2104.13586; figures from the first author's CVPR 2022 slides
    {"network": "GCN", "setting": VOLLEYBALL, "parameters": 2.8, "multiply_adds": 7.2},
    {"network": "PoseConv3D", "setting": VOLLEYBALL, "parameters": 0.52, "multiply_adds": 1.6},
]
PUBLISHED_TOP1 = [
    {"network": "GCN", "setting": VOLLEYBALL, "top1": 0.892},
    {"network": "PoseConv3D", "setting": VOLLEYBALL, "top1": 0.913},
]
DIFFERS = {
    "small": (
        "times and memory are of this machine's CPU, a batch of one clip; the ratios are what "
        "carries over",
        "simulated crowds are timed with C3D-light of half the width on 12 x 40 x 40 volumes and "
        "ST-GCN++ of a quarter of the width on 20 frames; nothing is trained on them, which would "
        "take two cores two hours",
        "a CPU convolves the joints of one or two persons without painting them, which is cheaper: "
        "ratios to one person are above 1 for that alone",
    ),
    "paper": (
        "accuracy is on simulated crowds: Volleyball's poses are not published, for one's own "
        "there is configs/volleyball.py",
    ),
}


def person_config(network: str, persons: int) -> Any:
    """NTU60's network at the paper's size, for that many persons."""
    config = config_of("ntu60_xsub", network)
    config.data.max_persons = persons
    return config


def volleyball_config(network: str) -> Any:
    """The paper's group setting; volumes at the test size, whose count the paper prints."""
    config = config_of("volleyball", network)
    if network in networks.NETWORKS:
        config.volume.train_size = config.volume.test_size
    return config


def crowd_config(preset: str, network: str, seed: int = 0) -> Any:
    """Simulated crowds; the paper's preset has its networks and sizes."""
    config = config_of("simulated_crowd", network)
    if preset == "paper":
        full = config_of("volleyball", network)
        config.model, config.train = full.model, full.train
        config.optimizer, config.volume = full.optimizer, full.volume
        with config.ignore_type():
            config.data.reader_options = {"num_clips": 8000, "crowd": 13}
        config.data.dir += "_8000"
    config.data.storage = "pack"
    config.name, config.seed = f"simulated_crowd-joint-{network}", seed
    return config


def measure(preset: str, folder: Path) -> list[dict[str, Any]]:
    """Rows of both parts: what was counted, and what was timed of it."""
    folder = folder / "scalability"
    return [*_person_rows(preset, folder), *_group_rows(preset, folder)]


def _person_rows(preset: str, folder: Path) -> Iterator[dict[str, Any]]:
    for network in COUNTED:
        configs = {persons: person_config(network, persons) for persons in PERSONS}
        times = _times(preset, configs, folder / network) if network in TIMED[preset] else []
        for persons, config in configs.items():
            row = {"part": "persons", "network": network, "persons": persons}
            row |= cost.counts_once(config, folder / "counts" / f"{network}-{persons}.json")
            yield row | figures(times, f"{persons}", f"{PERSONS[0]}")


def _group_rows(preset: str, folder: Path) -> Iterator[dict[str, Any]]:
    volleyball = {network: volleyball_config(network) for network in GROUP_NETWORKS}
    crowd = {network: crowd_config(preset, network) for network in CROWD_NETWORKS[preset]}
    for setting, name, configs in (
        (VOLLEYBALL, "volleyball", volleyball),
        (CROWD, "crowd", crowd),
    ):
        times = _times(preset, configs, folder / name)
        for network, config in configs.items():
            row = {"part": "group", "setting": setting, "network": network, "persons": 13}
            row |= cost.counts_once(config, folder / "counts" / f"{name}-{network}.json")
            yield row | figures(times, network)


def _times(preset: str, configs: Mapping[Any, Any], folder: Path) -> list[dict[str, Any]]:
    """Rounds over a training step, a test and, of volumes, drawing: for each of the configs."""
    makers = {}
    for name, config in configs.items():
        steps = [cost.training_step, cost.forward]
        steps += [cost.encoding] if config.encoder == "volume" else []
        for step in steps:
            makers[f"{name} {step.__name__}"] = partial(step, config, BATCH[preset])
    settings = {str(name): cost.setting_of(config) for name, config in configs.items()}
    setting = {"batch": BATCH[preset], "configs": settings}
    return cost.measure(makers, setting, folder, ROUNDS[preset], SECONDS)


def figures(
    times: Sequence[dict[str, Any]], name: str, first: str | None = None
) -> dict[str, float]:
    """What the rounds say of one case: milliseconds, MB, and times those of `first`."""
    if not times:
        return {}
    found = {"load": cost.load_of(times)}
    for step, word in (("training_step", "step"), ("forward", "forward")):
        found[f"{word}_ms"] = 1e3 * cost.median_of(times, f"{name} {step}")
        found[f"{word}_mb"] = times[0]["memory"][f"{name} {step}"] / 1e6
        if first:
            found[f"{word}_ratio"] = cost.ratio_of(times, f"{name} {step}", f"{first} {step}")
    if (drawing := f"{name} encoding") in times[0]["seconds"]:
        found["drawing_ms"] = 1e3 * cost.median_of(times, drawing)
        found["drawing_share"] = cost.ratio_of(times, drawing, f"{name} training_step")
    return found


def jobs(preset: str, seeds: Sequence[int]) -> list[Job]:
    """Simulated crowds, where they are trained on."""
    return [_job(preset, network, seed) for seed in seeds for network in TRAINED[preset]]


def _job(preset: str, network: str, seed: int) -> Job:
    config = crowd_config(preset, network, seed)
    facts = {"part": "group", "setting": CROWD, "network": network, "persons": 13, "seed": seed}
    return Job(config, facts, [Test("test", config, {}, ONE_CLIP)])


def data(preset: str) -> list[Any]:
    """The simulated crowds, where they are trained on."""
    return [crowd_config(preset, network) for network in TRAINED[preset][:1]]


def report(preset: str, rows: list[dict[str, Any]]) -> Study:
    """Curves over persons; the group setting beside them."""
    persons, group = {"part": "persons"}, {"part": "group"}
    by = partial(Table, columns="persons", where=persons)
    of = partial(Table, columns="setting", where=group)
    whole = "with BatchNorm and products with graphs"
    tables = [
        by("Time of a training step, times that of 1 person", "step_ratio", unit=""),
        by("Drawing's share of the training step", "drawing_share"),
        by("Parameters", "parameters", unit="M", in_picture=False),
        by("Multiply-adds of a clip", "multiply_adds", unit="G"),
        by(f"Multiply-adds of a clip, {whole}", "multiply_adds_all", unit="G", in_picture=False),
        by("Time of a training step", "step_ms", unit="ms", in_picture=False),
        by("Time of a test", "forward_ms", unit="ms", in_picture=False),
        by("Time of a test, times that of 1 person", "forward_ratio", unit=""),
        by("Memory of a training step", "step_mb", unit="MB"),
        by("Memory of a test", "forward_mb", unit="MB", in_picture=False),
        of("Group activities: parameters", "parameters", unit="M", published=PUBLISHED),
        of("Group activities: multiply-adds", "multiply_adds", unit="G", published=PUBLISHED),
        of(f"Group activities: {whole}", "multiply_adds_all", unit="G", in_picture=False),
        of("Group activities: training step", "step_ms", unit="ms"),
        of("Group activities: test", "forward_ms", unit="ms", in_picture=False),
    ]
    if TRAINED[preset]:
        tables.append(of("Group activities: accuracy, 1 clip", "top1", published=PUBLISHED_TOP1))
    return Study(
        name="scalability",
        question="How does cost grow with persons, and what do group activities cost?",
        preset=preset,
        rows=rows,
        tables=tables,
        differs=DIFFERS[preset],
        facts={"batch": BATCH[preset], "rounds": ROUNDS[preset]},
    )


if __name__ == "__main__":
    command.start(command.Command(data, jobs, report, measure))
