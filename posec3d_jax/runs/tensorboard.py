"""Scalars for TensorBoard by tensorboardX (extra `tensorboard`); none where it is absent."""

from collections.abc import Mapping
from pathlib import Path

try:
    from tensorboardX.event_file_writer import EventsWriter
    from tensorboardX.proto.event_pb2 import Event, SessionLog
    from tensorboardX.proto.summary_pb2 import Summary
except ImportError:
    EventsWriter = None


class TensorBoard:
    """One new event file in a folder; every write reaches the disk's cache at once.

    tensorboardX's SummaryWriter would hand events to a thread and lose those of a killed process.
    """

    def __init__(self, folder: Path, first_step: int | None = None):
        """Forgets, where it is given, what earlier files say of `first_step` and later steps."""
        self._file = None
        if EventsWriter is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        number = len(list(folder.glob("events.out.tfevents.*")))
        self._file = EventsWriter(str(folder / "events"), f".{number:06d}")
        if first_step is not None:
            start = SessionLog(status=SessionLog.START)
            self._file.write_event(Event(step=first_step, session_log=start))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Adds one value of each tag at `step`; NaN and infinity are stored as they are."""
        if self._file is None:
            return
        pairs = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        self._file.write_event(Event(step=step, summary=Summary(value=pairs)))
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
