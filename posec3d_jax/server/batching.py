"""Requests that wait while the device is busy go to it together, as one batch."""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

Clip = Mapping[str, np.ndarray]  # a batch of one


class Busy(Exception):
    """More clips are waiting than are taken on."""


@dataclass
class Counts:
    """What the metrics tell of the batches so far."""

    clips: int = 0
    batches: int = 0
    seconds: float = 0.0  # of the device


@dataclass
class Batcher:
    """Gives clips to `run` in batches of `sizes`, one batch at a time, in the order they came.

    No clip waits for others to come: a batch is whatever is there when the device is free, padded
    to the next of the sizes, each of which is compiled once.
    """

    run: Callable[[Clip], np.ndarray]  # [B, ...] to [B, K]
    sizes: tuple[int, ...] = (1, 2, 4, 8)
    longest_queue: int = 64
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self._queue: asyncio.Queue = asyncio.Queue(self.longest_queue)
        self._device = ThreadPoolExecutor(1, "device")

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def warm_up(self, clip: Clip) -> None:
        """Compiles for every size."""
        for size in self.sizes:
            self.run(_stacked([clip], size))

    async def __call__(self, clip: Clip) -> np.ndarray:
        """The clip's probabilities [K].

        Raises:
          Busy: the queue is full.
        """
        answer = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((clip, answer))
        except asyncio.QueueFull:
            raise Busy(f"{self.longest_queue} clips are waiting already") from None
        return await answer

    async def work(self) -> None:
        """Serves the queue until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            taken = [await self._queue.get()]
            while len(taken) < self.sizes[-1] and not self._queue.empty():
                taken.append(self._queue.get_nowait())
            # Whoever gave up in the meantime is not worked for.
            taken = [(clip, answer) for clip, answer in taken if not answer.done()]
            if taken:
                await self._serve(loop, taken)

    async def _serve(self, loop: asyncio.AbstractEventLoop, taken: list) -> None:
        size = next(size for size in self.sizes if size >= len(taken))
        batch = _stacked([clip for clip, _ in taken], size)
        started = time.monotonic()
        try:
            scores = await loop.run_in_executor(self._device, self.run, batch)
        except Exception as error:  # it is the requests' to tell, and the next batch's to go on
            for _, answer in taken:
                if not answer.done():
                    answer.set_exception(error)
            return
        self.counts.seconds += time.monotonic() - started
        self.counts.batches += 1
        self.counts.clips += len(taken)
        for (_, answer), row in zip(taken, scores, strict=False):
            if not answer.done():
                answer.set_result(row)


def _stacked(clips: list[Clip], size: int) -> dict[str, np.ndarray]:
    """One batch of `size` clips; the last one stands in for those that are missing."""
    clips = clips + clips[-1:] * (size - len(clips))
    return {name: np.concatenate([clip[name] for clip in clips]) for name in clips[0]}
