"""The books of an extraction: which videos, what became of them, splits and classes at the end."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from posec3d_jax.files.arrays import BadSample
from posec3d_jax.files.disk import read_json, write_json, write_whole
from posec3d_jax.files.text import load_cells
from posec3d_jax.poses.pyskl_file import write_pyskl

SUFFIXES = frozenset(
    ".3gp .asf .avi .flv .gif .m2ts .m4v .mjpeg .mjpg .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv "
    ".ts .vob .webm .wmv".split()
)
REPORTS, SUMMARY = "reports", "report.txt"
_UNLABELLED = "unlabelled"


@dataclass(frozen=True)
class Job:
    """One video to extract."""

    name: str  # of the clip, with '/' for folders
    video: Path
    label: int = 0
    class_name: str = _UNLABELLED
    split: str = "all"  # several are divided by ';'


def find_jobs(
    videos: Sequence[str | Path], labels: str | Path = "", shard: tuple[int, int] = (1, 1)
) -> list[Job]:
    """The videos in files and folders, in order of their names; of them those of the shard.

    A video of a folder is called by its place in there, without the suffix unless two differ in
    that only.

    Raises:
      FileNotFoundError: there is no such file or folder.
      ValueError: no videos, two of one name, a shard that is none, or labels that do not fit.
    """
    number, count = shard
    if not 1 <= number <= count:
        raise ValueError(f"shard {number}/{count}: expected 1/{count} to {count}/{count}")
    found = [pair for path in map(Path, videos) for pair in _found(path)]
    if not found:
        raise ValueError(f"no videos in {', '.join(map(str, videos)) or 'an empty list'}")
    short = Counter(place.with_suffix("") for place, _ in found)
    named = {}
    for place, video in found:
        name = (place if short[place.with_suffix("")] > 1 else place.with_suffix("")).as_posix()
        if name in named:
            raise ValueError(f"{video} and {named[name]} would both be called {name!r}")
        named[name] = video
    jobs = [Job(name, named[name]) for name in sorted(named)]
    jobs = _labelled(jobs, Path(labels)) if labels else jobs
    return jobs[number - 1 :: count]


def _found(path: Path) -> list[tuple[Path, Path]]:
    """(place that gives the name, video) of a file, or of what is in a folder."""
    if not path.is_dir():
        if not path.exists():
            raise FileNotFoundError(f"{path}: there is no such video or folder")
        return [(Path(path.name), path)]
    files = (f for f in path.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file())
    return [(file.relative_to(path), file) for file in files]


def _labelled(jobs: list[Job], file: Path) -> list[Job]:
    """The jobs that the file names, by clip or file name; classes in order of the alphabet."""
    rows = _rows(file)
    classes = sorted({row["label"] for row in rows.values()})
    numbers = {name: int(name) for name in classes if re.fullmatch("[0-9]{1,6}", name)}
    numbers = numbers if len(numbers) == len(classes) else {c: n for n, c in enumerate(classes)}
    labelled = []
    for job in jobs:
        row = rows.get(job.name) or rows.get(job.video.name)
        if row is None:
            raise ValueError(f"{file} has no line for {job.name!r} ({job.video})")
        label = numbers[row["label"]]
        split = row.get("split") or "all"
        labelled.append(replace(job, label=label, class_name=row["label"], split=split))
    return labelled


def _rows(file: Path) -> dict[str, dict[str, str]]:
    """The lines of a file of labels by their video. Raises ValueError for one that is none."""
    try:
        header, *lines = load_cells(file) or [[]]
    except BadSample as bad:
        raise ValueError(f"the file of labels {file} cannot be read: {bad}") from bad
    if not {"video", "label"} <= set(header):
        raise ValueError(f"{file}: expected a first line 'video,label' or 'video,label,split'")
    rows: dict[str, dict[str, str]] = {}
    for number, line in enumerate(lines, 2):
        row = dict(zip(header, line, strict=False))
        name = row.get("video", "")
        if not name or not row.get("label"):
            raise ValueError(f"{file}, line {number}: {line} lacks its video or its label")
        if rows.setdefault(name, row) != row:
            raise ValueError(f"{file}, line {number}: {name!r} has another label or split above")
    return rows


def report_file(out: Path, name: str) -> Path:
    """Where a video's report is. (Not .json: that would be a clip.)"""
    return out / REPORTS / f"{name}.jsonl"


def note(out: Path, report: dict) -> None:
    """Keeps what became of a video; with 'error' it is tried again next time."""
    file = report_file(out, report["name"])
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(report) + "\n")


def is_done(out: Path, job: Job) -> bool:
    """Whether the video was extracted, with this label, and its clips are there."""
    file = report_file(out, job.name)
    if not file.is_file():
        return False
    report = read_json(file)
    same = report.get("label") == job.label and report.get("split") == job.split
    files = [f"{clip}.npz" for clip in report.get("clips", [None])] + report.get("heatmaps", [])
    return same and all((out / name).is_file() for name in files)


def collect(out: Path, pickle: str | Path = "") -> None:
    """Writes splits, classes and the summary of everything that is done in the folder so far."""
    files = sorted((out / REPORTS).rglob("*.jsonl"))
    reports = [read_json(file) for file in files]
    done = [report for report in reports if "error" not in report]
    splits: dict[str, list[str]] = {}
    for report in done:
        for split in report["split"].split(";"):
            splits.setdefault(split, []).extend(report["clips"])
    names = {report["label"]: report["class"] for report in done}
    if names:
        write_json(out / "splits.json", splits)
        classes = [names.get(n, str(n)) for n in range(max(names) + 1)]
        write_json(out / "classes.json", classes)
        if pickle:
            write_pyskl(out, splits, Path(pickle))
    write_whole(out / SUMMARY, _summary(reports))


def _summary(reports: list[dict]) -> str:
    """A table for a person: totals first, then what went wrong, then each video."""
    keys = ("frames", "frames_without_anybody", "tracks", "gaps", "damaged_packets")
    failed = [report for report in reports if "error" in report]
    done = [report for report in reports if "error" not in report]
    lines = [f"{len(done)} videos, {len(failed)} failed"]
    lines += [f"  {key.replace('_', ' ')}: {sum(r.get(key, 0) for r in done)}" for key in keys]
    lines += [f"FAILED {report['name']}: {report['error']}" for report in failed]
    lines += ["", "\t".join(("name", *keys))]
    lines += ["\t".join([r["name"], *(str(r.get(key, 0)) for key in keys)]) for r in done]
    return "\n".join(lines) + "\n"
