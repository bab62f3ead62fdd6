"""From a video, or poses of one, to labels over time: who does what from when to when."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from time import monotonic

import numpy as np

from posec3d_jax.data.pose_files.naming import joint_index
from posec3d_jax.files.locks import holding
from posec3d_jax.files.places import expand
from posec3d_jax.poses.estimator import Estimator
from posec3d_jax.poses.following import SEARCH_EVERY
from posec3d_jax.poses.live import RATE, LiveLabel, live_labels
from posec3d_jax.poses.opening import open_estimator
from posec3d_jax.poses.sources import is_pose_file, open_pose_file, open_video
from posec3d_jax.predict import Predictor, load_predictor
from posec3d_jax.reports.overlay import write_overlay
from posec3d_jax.reports.recognition import Recognition, write_recognition
from posec3d_jax.runs import records
from posec3d_jax.skeletons.skeleton import SKELETONS, get_skeleton
from posec3d_jax.video.events import Event, Labels, clock
from posec3d_jax.video.live import LiveCount
from posec3d_jax.video.spool import PoseSpool
from posec3d_jax.video.windows import PoseFrame, PoseStream, Window, Windows

WINDOW, STEP = 2.0, 0.5  # seconds
EVERY = 10.0  # seconds between two lines of progress
OVERLAY, LOCK = "overlay.mp4", "recognise.lock"


_joint_index = lru_cache(maxsize=8)(joint_index)  # asked for every window, of one source


@dataclass(frozen=True)
class Labelled:
    """One window and what the network says of it."""

    window: Window
    scores: np.ndarray  # float32 [K], probabilities


class Recogniser:
    """A trained run that gives labels over time. The first window compiles, which takes seconds.

    For every person of a video::

        for event in Recogniser("runs/mine")("clip.mp4"):
            print(event)

    By default every person has labels of their own, from their own poses; `whole` names what all
    do together, for interactions and groups.
    """

    def __init__(
        self,
        run: str | Path | Predictor,
        estimator: Estimator | str = "",
        *,
        window: float = WINDOW,
        step: float = STEP,
        whole: bool = False,
        least_score: float = 0.0,
        checkpoint: str = "latest",
    ):
        """The network of a run, and how it is to look at videos.

        Args:
          run: the run's folder, or a loaded predictor.
          estimator: finds people in pictures; or its name, see `open_estimator`; '' for MoveNet,
            with Thunder's crops, live with Lightning's.
          window: seconds that one label is made of.
          step: seconds from one window to the next.
          whole: label everybody together instead of person by person.
          least_score: below this probability nothing is said.
          checkpoint: of the run: 'latest', 'best', a step or a folder.

        Raises:
          ValueError: steps and windows that leave gaps, or a network of RGB frames.
        """
        loaded = not isinstance(run, str | Path)
        self.predictor = run if loaded else load_predictor(run, checkpoint)
        if self.predictor.needs_frames:
            raise ValueError(
                f"{run} is a network of RGB frames: over time only poses can be recognised; "
                "'posec3d predict' takes a clip's poses with its video"
            )
        self.estimator, self._whole, self._least = estimator, whole, least_score
        self._window, self._step = window, step
        Windows(window, step)  # refuses what is wrong with them now

    def __call__(
        self, source: str | Path | PoseStream, on_window: Callable[[Labelled], None] | None = None
    ) -> Iterator[Event]:
        """The events of a source, each as soon as it is over; memory does not grow with its length.

        Args:
          source: a video, a pose estimator's file or folder, or poses themselves.
          on_window: is called with every window and its probabilities.

        Raises:
          ValueError, FileNotFoundError: the source cannot be used; says why.
        """
        if not isinstance(source, PoseStream):
            source = self.open(source)
        windows = Windows(self._window, self._step, self._whole)
        labels = Labels(self._step, self.predictor.class_names, self._least)

        def label(cut: Iterable[Window]) -> Iterator[Event]:
            for window in cut:
                scores = self.scores(window, source)
                if on_window is not None:
                    on_window(Labelled(window, scores))
                yield from labels.add(window, scores)

        for frame in source.frames:
            yield from label(windows.add(frame))
            yield from labels.lost(frame.time - self._window - 2 * self._step)
        yield from label(windows.finish())
        yield from labels.finish()

    def open(self, source: str | Path, every: int = 1) -> PoseStream:
        """The poses of a video (of its every n-th frame), or of a pose file."""
        path = Path(source)
        if is_pose_file(path):
            return open_pose_file(path)
        return open_video(path, self._opened("thunder"), every=every)

    def _opened(self, usual: str) -> Estimator:
        """The estimator, loaded once and only where there are pictures."""
        if isinstance(self.estimator, str):
            self.estimator = open_estimator(self.estimator or usual)
        return self.estimator

    def live(
        self,
        source: str | Path,
        count: LiveCount,
        *,
        rate: float = RATE,
        search_every: int = SEARCH_EVERY,
    ) -> Iterator[LiveLabel]:
        """Labels everybody in sight `rate` times a second, see `live.live_labels`.

        Args:
          source: a camera's number, a stream's address, or a file, played at its own speed.
          count: is told how many frames arrived and how many had to be dropped.
          rate: labels a second.
          search_every: frames until everybody is searched for again.
        """
        yield from live_labels(
            source,
            self._opened("lightning"),
            self.scores,
            self.predictor.class_names,
            count,
            window=self._window,
            whole=self._whole,
            rate=rate,
            search_every=search_every,
        )

    def lacking(self, joints: Sequence[str]) -> list[str]:
        """The joints of the run that poses with these joints do not have."""
        wanted = self.predictor.skeleton.joints
        missing = joint_index(joints, wanted) < 0
        return [joint for joint, absent in zip(wanted, missing, strict=True) if absent]

    def scores(self, window: Window, source: PoseStream) -> np.ndarray:
        """Probabilities float32 [K] of one window of the source's poses."""
        index = _joint_index(source.joints, self.predictor.skeleton.joints)
        keypoint, score = window.keypoint, window.score
        most = self.predictor.max_persons
        if len(keypoint) > most:  # those seen best, in their order
            best = np.sort(np.argsort(-score.sum(axis=(1, 2)), kind="stable")[:most])
            keypoint, score = keypoint[best], score[best]
        there = index >= 0
        keypoint = np.where(there[:, None], keypoint[:, :, index], 0)
        score = np.where(there, score[:, :, index], 0)
        return self.predictor(keypoint, score, source.frame_size).scores


def recognise(
    recogniser: Recogniser,
    stream: PoseStream,
    out: str | Path = "",
    *,
    overlay: bool = True,
    progress: Callable[[str], None] = lambda line: None,
) -> Recognition:
    """Labels a whole source, and writes what was found.

    Args:
      recogniser: names the windows.
      stream: the source's poses.
      out: folder for events.json, events.csv, timeline.png and overlay.mp4; '' for none.
      overlay: whether to draw on the video, where the source is one.
      progress: is told now and then how far it is.

    Raises:
      DiskError: the folder cannot be written to, which is found out first.
      LockedError: another process writes there.
    """
    if not out:
        return _recognised(recogniser, stream, None, overlay, progress)
    folder = expand(out)
    with holding(folder / LOCK, folder, records.command()):
        return _recognised(recogniser, stream, folder, overlay, progress)


def _recognised(
    recogniser: Recogniser,
    stream: PoseStream,
    out: Path | None,
    overlay: bool,
    progress: Callable[[str], None],
) -> Recognition:
    counts = _Counts(progress)
    draw = out is not None and overlay and stream.video is not None
    with PoseSpool() as spool:
        frames = counts.frames_of(stream.frames)
        watched = replace(stream, frames=spool.through(frames) if draw else frames)
        events = sorted(recogniser(watched, counts.count_window), key=_order)
        found = Recognition(
            tuple(events),
            stream.name,
            round(counts.time, 3),
            counts.frames,
            counts.windows,
            len(counts.persons),
        )
        if out:
            write_recognition(out, found)
        if out and draw:
            progress("drawing the overlay")
            skeleton = get_skeleton(_drawn_as(stream.joints))
            write_overlay(stream, out / OVERLAY, spool, events, skeleton)
    return found


def _order(event: Event) -> tuple:
    return event.start, event.person or 0


@dataclass
class _Counts:
    """What goes through, for the report."""

    progress: Callable[[str], None]
    frames: int = 0
    windows: int = 0
    time: float = 0.0
    persons: set[int] = field(default_factory=set)

    def frames_of(self, frames: Iterable[PoseFrame]) -> Iterator[PoseFrame]:
        started = reported = monotonic()
        for frame in frames:
            self.frames, self.time = self.frames + 1, frame.time
            self.persons.update(frame.ids.tolist())
            if (now := monotonic()) - reported > EVERY:
                rate, reported = self.frames / (now - started), now
                self.progress(f"{clock(frame.time)}: {self.frames} frames, {rate:.1f} a second")
            yield frame

    def count_window(self, _: Labelled) -> None:
        self.windows += 1


def _drawn_as(joints: Sequence[str]) -> str | dict:
    """The layout that has these joints, or one without limbs."""
    same = (name for name, layout in SKELETONS.items() if layout.joints == tuple(joints))
    return next(same, dict(joints=joints, limbs=[], pairs=[]))
