"""Figures of the running service, as Prometheus reads them."""

from collections import Counter
from dataclasses import dataclass, field

from posec3d_jax.server.batching import Batcher

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)  # seconds


@dataclass
class Metrics:
    """Counts of answers by path and status, and how long recognitions took."""

    answers: Counter = field(default_factory=Counter)
    below: Counter = field(default_factory=Counter)  # recognitions that took up to so long
    seconds: float = 0.0
    recognitions: int = 0
    videos: int = 0
    video_frames: int = 0
    video_seconds: float = 0.0

    def looked(self, frames: int, seconds: float) -> None:
        """Counts one video that was looked at to its end."""
        self.videos += 1
        self.video_frames += frames
        self.video_seconds += seconds

    def took(self, seconds: float) -> None:
        """Counts one recognition, from its arrival to its answer."""
        self.recognitions += 1
        self.seconds += seconds
        self.below.update(bucket for bucket in BUCKETS if seconds <= bucket)

    def text(self, batcher: Batcher) -> str:
        """In Prometheus' text format."""
        counts, name = batcher.counts, "posec3d_recognition_seconds"
        lines = ["# TYPE posec3d_answers_total counter"]
        for (path, status), count in sorted(self.answers.items()):
            lines.append(f'posec3d_answers_total{{path="{path}",status="{status}"}} {count}')
        lines.append(f"# TYPE {name} histogram")
        lines += [f'{name}_bucket{{le="{b:g}"}} {self.below[b]}' for b in BUCKETS]
        lines += [f'{name}_bucket{{le="+Inf"}} {self.recognitions}']
        lines += [f"{name}_sum {self.seconds:.6f}", f"{name}_count {self.recognitions}"]
        for key, kind, value in (
            ("clips_total", "counter", counts.clips),
            ("batches_total", "counter", counts.batches),
            ("device_seconds_total", "counter", f"{counts.seconds:.6f}"),
            ("waiting_clips", "gauge", batcher.waiting),
            ("videos_total", "counter", self.videos),
            ("video_frames_total", "counter", self.video_frames),
            ("video_seconds_total", "counter", f"{self.video_seconds:.3f}"),
        ):
            lines += [f"# TYPE posec3d_{key} {kind}", f"posec3d_{key} {value}"]
        return "\n".join(lines) + "\n"
