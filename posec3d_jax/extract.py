"""Turns videos into skeletons: people found, told apart and written in the directory format."""

import json
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from posec3d_jax.files.disk import DiskError, write_whole, writing
from posec3d_jax.files.locks import holding
from posec3d_jax.files.places import expand
from posec3d_jax.files.text import load_text
from posec3d_jax.kernels.target import target_here
from posec3d_jax.machine.host import use_compilation_cache
from posec3d_jax.poses.estimator import Estimator
from posec3d_jax.poses.gathering import Job, collect, find_jobs, is_done, note
from posec3d_jax.poses.heatmap_file import HEATMAPS, write_arrays, write_heatmaps
from posec3d_jax.poses.opening import open_estimator
from posec3d_jax.poses.recording import Recording, RecordingSettings, counts, record
from posec3d_jax.poses.workers import Opener, run_jobs
from posec3d_jax.runs import records
from posec3d_jax.video.decoding import Tally
from posec3d_jax.video.info import VideoInfo, probe

SETTINGS = "settings.jsonl"


@dataclass(frozen=True)
class ExtractSettings:
    """What decides the numbers of an extraction."""

    estimator: str = "thunder"  # see poses.opening
    heatmaps: bool = False  # keep what the estimator saw of each joint, too
    recording: RecordingSettings = RecordingSettings()


def extract(
    videos: Sequence[str | Path],
    out: str | Path,
    settings: ExtractSettings | None = None,
    *,
    labels: str | Path = "",
    shard: tuple[int, int] = (1, 1),
    workers: int = 1,
    beam: Sequence[str] | None = None,
    pickle: str | Path = "",
    progress: Callable[[str], None] = print,
) -> Counter[str]:
    """Writes every person's keypoints in every frame of the videos.

    A video that is done is not done again, so that the same command goes on where it was ended, and
    several machines can share a folder, each with a shard of its own. A video that cannot be used
    is told, tried again next time, and does not stop the others.

    Args:
      videos: files, and folders of them.
      out: a folder in the directory format (see data/readers/directory.py). A clip has besides
        `box`, `track`, `time` and `frame`, as in poses.recording.Recording, and `rate`. Heatmaps
        are in a file beside it, see `read_heatmaps`.
      settings: see there.
      labels: a CSV file `video,label[,split]`, where ';' divides several splits; without it
        everything has label 0 and split 'all'.
      shard: (i, n): every n-th video, from the i-th (1 to n).
      workers: processes, each with an estimator of its own; 0 for as many as there are cores, or
        accelerators.
      beam: options of Apache Beam, which then does the work instead of such processes; [] runs it
        in this one. See poses.beam.run_on_beam.
      pickle: also write PYSKL's annotation file, of everything in `out` that is done.
      progress: called with lines for a person.

    Returns:
      How many videos are 'done', were done 'before', and 'failed', of this shard.

    Raises:
      ValueError: no video, a shard that is none, labels that do not fit, a folder that was
        filled with other settings, or Beam is asked for and not installed.
      FileNotFoundError: there is no such file or folder.
      LockedError, DiskError: another process is at this shard, or nothing can be written in `out`.
    """
    out, settings = expand(out), settings or ExtractSettings()
    jobs = find_jobs(videos, labels, shard)
    shared_out = partial(run_jobs, workers=workers) if beam is None else _beam(beam)
    lock = out / f"shard-{shard[0]}-of-{shard[1]}.lock"
    with holding(lock, out, records.command()):
        _check_settings(out, settings)
        return _extract(jobs, out, settings, shared_out, pickle, progress)


def _extract(
    jobs: list[Job],
    out: Path,
    settings: ExtractSettings,
    shared_out: Callable[[list[Job], Path, Opener], Iterator[dict]],
    pickle: str | Path,
    progress: Callable[[str], None],
) -> Counter[str]:
    waiting = [job for job in jobs if not is_done(out, job)]
    result = Counter(done=0, before=len(jobs) - len(waiting), failed=0)
    if result["before"]:
        progress(f"{result['before']} of {len(jobs)} videos were done before")
    reports = shared_out(waiting, out, partial(open_worker, settings))
    for number, report in enumerate(reports, 1):
        failed = "error" in report
        if failed:
            note(out, report)
        result["failed" if failed else "done"] += 1
        progress(f"[{number}/{len(waiting)}] {report['name']}: {_line(report)}")
    collect(out, pickle)
    return result


def _beam(options: Sequence[str]) -> Callable[[list[Job], Path, Opener], Iterator[dict]]:
    """`run_on_beam` with these options; ValueError where Beam is not installed."""
    try:
        from posec3d_jax.poses.beam import run_on_beam
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] != "apache_beam":
            raise
        raise ValueError(
            "Apache Beam is not installed: install posec3d-jax[video,beam] in an environment of "
            "its own (docs/video.md)"
        ) from error
    return partial(run_on_beam, options=options)


def open_worker(settings: ExtractSettings, place: int = 0) -> Callable[[Job, Path], dict]:
    """The function that extracts one video; for a process, or a worker of a cluster, to keep.

    Args:
      settings: see there.
      place: number of the process among those of this machine, which share its accelerators.
    """
    import jax

    if multiprocessing.parent_process() is not None:
        use_compilation_cache()  # a process of the pool has not gone through main
    target = target_here()
    if target != "cpu":
        devices = jax.local_devices()
        jax.config.update("jax_default_device", devices[place % len(devices)])
    estimator = open_estimator(settings.estimator, heatmaps=settings.heatmaps, target=target)
    return partial(extract_video, settings=settings.recording, estimator=estimator)


def extract_video(job: Job, out: Path, settings: RecordingSettings, estimator: Estimator) -> dict:
    """Writes one video's clips and then its report, which is what marks it as done.

    A pure function of the video and the settings: whoever calls it, the files are the same.

    Returns:
      The report; of a video that cannot be used, with 'error'.
    """
    report: dict = {"name": job.name, "video": str(job.video), "split": job.split}
    try:
        return _extracted(job, out, settings, estimator, report)
    except DiskError:
        raise
    except Exception as error:  # whatever a stranger's file leads to must not stop the others
        known = isinstance(error, ValueError | OSError)
        return report | {"error": str(error) if known else f"{job.video}: {error!r}"}


def _extracted(
    job: Job, out: Path, settings: RecordingSettings, estimator: Estimator, head: dict
) -> dict:
    info, tally, clips, maps = probe(job.video), Tally(), [], []
    total, tracks = Counter(), set()
    for number, recording in enumerate(record(job.video, estimator, settings, tally)):
        clips.append(f"{job.name}/{number:05d}" if settings.segment else job.name)
        if recording.heatmaps is not None:
            maps.append(f"{clips[-1]}{HEATMAPS}")
            write_heatmaps(out / maps[-1], recording.heatmaps)
        _write_clip(out / f"{clips[-1]}.npz", recording, info, job.label)
        total.update(counts(recording))
        tracks.update(recording.ids.tolist())
    report = head | {"clips": clips, "label": job.label, "class": job.class_name}
    report |= {"heatmaps": maps} if maps else {}
    report |= dict(total) | {"tracks": len(tracks), "damaged_packets": tally.damaged}
    report |= {"frames_decoded": tally.frames, "video_info": asdict(info)}
    note(out, report)
    return report


def _write_clip(file: Path, recording: Recording, info: VideoInfo, label: int) -> None:
    write_arrays(
        file,
        keypoint=recording.keypoint,
        score=recording.score,
        frame_size=np.array(info.size),
        label=np.array(label),
        box=recording.box,
        track=recording.ids,
        time=recording.time,
        frame=recording.frame,
        rate=np.array(info.rate),
    )


def _check_settings(out: Path, settings: ExtractSettings) -> None:
    """ValueError where the folder was filled with other settings; else notes them there."""
    file, text = out / SETTINGS, json.dumps(asdict(settings)) + "\n"
    with writing(file), suppress(FileExistsError), open(file, "x", encoding="utf-8") as new:
        new.write(text)  # of several shards that begin, one is first
    there = load_text(file)
    if not there:  # it was ended right here
        write_whole(file, text)
    elif there != text:
        raise ValueError(
            f"{out} was filled with other settings, {there[:500].strip()}; go on with those, or "
            "choose another folder"
        )


def _line(report: dict) -> str:
    if "error" in report:
        return f"FAILED: {report['error']}"
    parts = [f"{report['frames']} frames", f"{report['tracks']} tracks"]
    for key in ("frames_without_anybody", "gaps", "short_tracks_left_out", "damaged_packets"):
        if report.get(key):
            parts.append(f"{report[key]} {key.replace('_', ' ')}")
    return ", ".join(parts)
