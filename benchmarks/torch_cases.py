"""The same cases in PyTorch: channels last; on a GPU also bfloat16, compiled, cuDNN autotuned."""

import os
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.clips import make_clips, open_folder
from benchmarks.numpy_cases import volume_of
from benchmarks.numpy_renderer import keypoint_volume
from benchmarks.torch_networks import make_network

Case = tuple[Callable[[], Any], dict[str, Any]]

_CUDNN_CHANNELS = 24  # what 17 joints are padded to on a GPU


def _device() -> str:
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    return "cuda" if torch.cuda.is_available() else "cpu"


def _facts(device: str) -> dict[str, Any]:
    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    return {"device": name, "torch": torch.__version__, "threads": torch.get_num_threads()}


def _make_network(name: str, device: str) -> torch.nn.Module:
    return make_network(name, 17 if device == "cpu" else _CUDNN_CHANNELS, 60, device)


def _to_device(volumes: Tensor, device: str) -> Tensor:
    """Channels last in memory; on a GPU with empty channels, as a user who profiled would have it:
    cuDNN falls back to a kernel ten times slower for 17."""
    volumes = volumes.to(device, memory_format=torch.channels_last_3d, non_blocking=True)
    if device == "cpu":
        return volumes
    empty = (0, 0) * 3 + (0, _CUDNN_CHANNELS - volumes.shape[1])
    padded = torch.nn.functional.pad(volumes, empty)
    return padded.contiguous(memory_format=torch.channels_last_3d)


def _volumes(batch: int, frames: int, size: int, device: str) -> Tensor:
    """Drawn volumes [B, C, T, H, W] on the device."""
    clips = make_clips(batch, 1, frames)
    low, high = clips["keypoint"].min((1, 2, 3)), clips["keypoint"].max((1, 2, 3))
    scale = (size / (high - low).max(-1))[:, None, None, None, None]
    keypoint = (clips["keypoint"] - low[:, None, None, None]) * scale
    pairs = zip(keypoint, clips["score"], strict=True)
    drawn = np.stack([keypoint_volume(k, s, (size, size)) for k, s in pairs])
    return _to_device(torch.from_numpy(drawn), device)


class Clips(torch.utils.data.Dataset):
    """Clips of a prepared pack: frames picked, drawn by NumPy, one at a time in a worker."""

    def __init__(self, folder: str, frames: int, size: int):
        self._folder, self._frames, self._size, self._source = folder, frames, size, None

    def __len__(self) -> int:
        return 1 << 30  # as many as are asked for

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        if self._source is None:  # in the worker
            self._source = open_folder(self._folder)
        rng = np.random.default_rng(index)
        clip = self._source.sequence(int(rng.integers(len(self._source))))
        total = clip.keypoint.shape[1]
        edges = np.linspace(0, total, self._frames + 1)
        picked = np.minimum(edges[:-1] + rng.uniform(size=self._frames) * np.diff(edges), total - 1)
        picked = picked.astype(int)
        return volume_of(clip.keypoint[:, picked], clip.score[:, picked], self._size), clip.label


def end_to_end(
    batch: int,
    folder: str,
    network="slowonly",
    frames=48,
    size=56,
    dtype="float32",
    compiled=False,
    workers=2,
) -> Case:
    """From a data set on disk to updated parameters, drawn by worker processes: a step."""
    step, device = _training(network, dtype, compiled)
    loader = torch.utils.data.DataLoader(
        Clips(folder, frames, size),
        batch,
        num_workers=workers,
        pin_memory=device == "cuda",
        multiprocessing_context="fork",
    )
    batches = iter(loader)

    def run():
        volumes, labels = next(batches)
        return step(_to_device(volumes, device), labels.long().to(device, non_blocking=True))

    return _synchronized(run, device), _facts(device) | {"workers": workers}


def _synchronized(run: Callable[[], Any], device: str) -> Callable[[], Any]:
    def call():
        result = run()
        if device == "cuda":
            torch.cuda.synchronize()
        return result

    return call


def _compiled(network: torch.nn.Module, compiled: bool) -> Callable:
    """On a GPU. Mode max-autotune searches for minutes, and mostly ends at cuDNN's convolutions."""
    return torch.compile(network) if compiled else network


def forward(
    batch: int, network="slowonly", frames=48, size=56, dtype="float32", compiled=False
) -> Case:
    """Volumes to logits, in evaluation mode."""
    device = _device()
    model = _make_network(network, device).eval()
    call, volumes = _compiled(model, compiled), _volumes(batch, frames, size, device)

    @torch.inference_mode()
    def run():
        with torch.autocast(device, torch.bfloat16, enabled=dtype == "bfloat16"):
            return call(volumes)

    return _synchronized(run, device), _facts(device)


def train_step(
    batch: int, network="slowonly", frames=48, size=56, dtype="float32", compiled=False
) -> Case:
    """Volumes to updated parameters: the references' SGD, momentum, weight decay and clipping."""
    step, device = _training(network, dtype, compiled)
    volumes = _volumes(batch, frames, size, device)
    labels = torch.from_numpy(make_clips(batch, 1, 1)["label"]).long().to(device)
    return _synchronized(lambda: step(volumes, labels), device), _facts(device)


def predict(network: str, clips: int = 1, flip: bool = False, frames=48, size=56) -> Case:
    """One recording of 100 frames, one person, drawn by NumPy: keypoints to a label."""
    device = _device()
    model = _make_network(network, device).eval()
    clip = make_clips(1, 1, 100)
    keypoint, score = clip["keypoint"][0], clip["score"][0]
    picked = np.concatenate([np.sort(np.arange(frames) * 2 + i % 2) for i in range(clips)])

    @torch.inference_mode()
    def run() -> int:
        drawn = volume_of(keypoint[:, picked], score[:, picked], size)
        views = drawn.reshape(len(drawn), clips, frames, size, size).swapaxes(0, 1)
        views = np.concatenate([views, views[..., ::-1]]) if flip else views
        volumes = _to_device(torch.from_numpy(np.ascontiguousarray(views)), device)
        return int(model(volumes).softmax(-1).mean(0).argmax())

    return run, _facts(device)


def _training(network: str, dtype: str, compiled: bool) -> tuple[Callable, str]:
    """(volumes, labels) to loss, with an update of a fresh network; and its device."""
    device = _device()
    model = _make_network(network, device).train()
    call = _compiled(model, compiled)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.00625, momentum=0.9, weight_decay=3e-4)

    def step(volumes: Tensor, labels: Tensor) -> float:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=dtype == "bfloat16"):
            loss = torch.nn.functional.cross_entropy(call(volumes).float(), labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 40.0)
        optimizer.step()
        return loss.item()

    return step, device


CASES = MappingProxyType(
    {case.__name__: case for case in (forward, train_step, end_to_end, predict)}
)
