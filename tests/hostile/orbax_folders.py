"""Checkpoint folders of strangers: forged sizes and names, pipes, links, bombs; what reads one."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import tensorstore as ts
from jax.sharding import SingleDeviceSharding

from posec3d_jax.runs.checkpoints import find_checkpoint, load_model
from posec3d_jax.runs.initialize import start_from
from posec3d_jax.runs.saving import Checkpoints
from posec3d_jax.runs.sealing import seal_of
from posec3d_jax.steps.state import TrainState

STEP, HUGE, WEIGHT = 3, 2**40, "params.w"
ORBAX, TREE = "_CHECKPOINT_METADATA", "_METADATA"
Attack = tuple[str, Callable[[Path], object]]  # a name, and what is done to a checkpoint's folder


def state() -> TrainState:
    """That of a network with one weight, on one device."""
    made = TrainState(
        step=jnp.int32(STEP),
        params={"w": jnp.arange(12.0).reshape(4, 3)},
        batch_stats={"mean": jnp.ones(3)},
        opt_state=({"trace": jnp.ones((4, 3))},),
    )
    return jax.device_put(made, SingleDeviceSharding(jax.devices()[0]))


def write_run(workdir: Path) -> Path:
    """A run's directory with one checkpoint without its seal; returns the checkpoint's folder.

    A stranger's seal would be right, and of ours these say at once what was changed.
    """
    with Checkpoints(workdir) as checkpoints:
        checkpoints.save(state())
    folder = find_checkpoint(workdir)
    seal_of(folder).unlink()
    return folder


def load(workdir: Path) -> None:
    """As evaluate, predict and export-weights do, and as `config.init_from` does."""
    fresh = state()
    model = {"params": fresh.params, "batch_stats": fresh.batch_stats}
    load_model(find_checkpoint(workdir), model)
    start_from(str(workdir), fresh)


def resume(workdir: Path) -> None:
    """As `posec3d train` does in a directory that holds a run."""
    with Checkpoints(workdir) as checkpoints:
        checkpoints.stored_facts()
        checkpoints.restore(state())


READS = {"loaded": load, "resumed": resume}


def attacks(outside: Path) -> Iterator[Attack]:
    """What is done to a checkpoint of `write_run`. `outside` is a folder beside the run."""
    yield from _files(outside)
    yield from _texts()
    yield from _arrays()
    yield from _checksums(outside)


def _files(outside: Path) -> Iterator[Attack]:
    def pipe(path: Path) -> None:
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    def link(path: Path, to: str | Path) -> None:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        path.symlink_to(to)

    def sparse(path: Path) -> None:
        with open(path, "wb") as file:
            file.truncate(HUGE)

    def nest(folder: Path) -> None:
        deep = folder / "model"
        for _ in range(40):
            deep /= "d"
        deep.mkdir(parents=True)

    for name in (ORBAX, f"model/{TREE}", "model/manifest.ocdbt", "model/_sharding", "model/d/x"):
        yield f"{name} is a pipe", lambda folder, name=name: pipe(folder / name)
        yield f"{name} is /dev/zero", lambda folder, name=name: link(folder / name, "/dev/zero")
        yield f"{name} leads nowhere", lambda folder, name=name: link(folder / name, "nowhere")
        yield f"{name} is a terabyte", lambda folder, name=name: sparse(folder / name)
    for name in ("model", "training", "model/d", "model/loop"):
        yield f"{name} leads to itself", lambda folder, name=name: link(folder / name, ".")
        yield f"{name} leads away", lambda folder, name=name: link(folder / name, outside)
        yield f"{name} is the system", lambda folder, name=name: link(folder / name, "/")
    yield "folders without end", nest
    for name in (ORBAX, f"model/{TREE}", "model/manifest.ocdbt", "model", "training/d", "model/d"):
        yield f"{name} is missing", lambda folder, name=name: _remove(folder / name)
        yield f"{name} is a folder", lambda folder, name=name: _replace_by_folder(folder / name)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _replace_by_folder(path: Path) -> None:
    _remove(path)
    path.mkdir()


def _texts() -> Iterator[Attack]:
    """Descriptions that are no JSON, nested deep, or of another form."""
    names = (ORBAX, f"model/{TREE}", f"training/{TREE}", "model/_sharding")
    names += ("model/array_metadatas/process_0", f"../{STEP}.seal.json")
    odd = {
        "empty": b"",
        "zeros": bytes(4096),
        "garbage": bytes(range(256)) * 16,
        "deep lists": b"[" * 100_000,
        "deep objects": b'{"a":' * 100_000,
        "a list": b"[]",
        "a number": b"1e999",
        "null": b"null",
        "an object of nothing": b"{}",
        "a long number": b'{"init_timestamp_nsecs": ' + b"9" * 10_000 + b"}",
    }
    for name in names:
        for what, data in odd.items():
            yield (
                f"{name}: {what}",
                lambda folder, name=name, data=data: _write(folder / name, data),
            )
    for handler in ("os.system", "posec3d_jax.main.run", "", 5, None, ["os"]):
        handlers = {"item_handlers": {"model": handler, "training": handler}}
        yield f"handler {handler}", lambda folder, changed=handlers: _json(folder / ORBAX, changed)
        away = {"item_handlers": {"../../model": handler}, "custom_metadata": {"__class__": 1}}
        yield f"a part away, {handler}", lambda folder, changed=away: _json(folder / ORBAX, changed)
    for kind in ("string", "np.ndarray", "scalar", "None", "__import__('os').system('x')", 5):
        yield f"a leaf of {kind}", lambda folder, kind=kind: _leaf(folder, "value_type", kind)
    for shape in ([HUGE] * 3, [-4, -3], [], ["4"], [4.5, 3], None, [HUGE]):
        yield f"a written shape {shape}", lambda folder, s=shape: _leaf(folder, "write_shape", s)
    for key in ("use_ocdbt", "use_zarr3"):
        for value in (False, None, "yes"):
            changed = {key: value}
            yield f"{key} {value}", lambda folder, c=changed: _json(folder / "model" / TREE, c)
    for key in (
        "('..', '..', 'etc')",
        "__import__('os').getcwd()",
        "(" * 1000,
        "()",
        "/etc/passwd",
    ):
        yield f"a leaf named {key:.30}", lambda folder, key=key: _rename(folder, key)


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _json(path: Path, changed: dict[str, Any]) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def _leaf(folder: Path, key: str, value: Any) -> None:
    """Changes a fact of every leaf in what Orbax says of the tree."""
    path = folder / "model" / TREE
    described = json.loads(path.read_text())
    for leaf in described["tree_metadata"].values():
        leaf["value_metadata"][key] = value
    path.write_text(json.dumps(described))


def _rename(folder: Path, name: str) -> None:
    path = folder / "model" / TREE
    described = json.loads(path.read_text())
    leaves = described["tree_metadata"]
    described["tree_metadata"] = {name: next(iter(leaves.values()))}
    for key in next(iter(leaves.values()))["key_metadata"]:
        key["key"] = name
    path.write_text(json.dumps(described))


def _arrays() -> Iterator[Attack]:
    """Arrays that claim what they are not; the store's own checksums are right."""

    def claim(**changed: Any) -> Callable[[dict], dict]:
        return lambda array: array | changed

    def grid(*lengths: Any) -> dict:
        return {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(lengths)}}}

    def shard(*lengths: Any, codecs: list | None = None) -> list:
        little = [{"name": "bytes", "configuration": {"endian": "little"}}]
        index = [*little, {"name": "crc32c"}]
        inner = {"chunk_shape": list(lengths), "codecs": codecs or little, "index_codecs": index}
        return [{"name": "sharding_indexed", "configuration": inner}]

    little = [{"name": "bytes", "configuration": {"endian": "little"}}]
    nested = little
    for _ in range(300):
        nested = shard(4, 3, codecs=nested)
    changes = {
        "a chunk of terabytes": claim(**grid(HUGE, 3), codecs=shard(HUGE, 3)),
        "a plain chunk of terabytes": claim(**grid(HUGE, 3), codecs=little),
        "an inner chunk of terabytes": claim(codecs=shard(HUGE, 3)),
        "a billion inner chunks": claim(**grid(2**30, 3), codecs=shard(1, 1)),
        "chunks of nothing": claim(**grid(0, 0)),
        "chunks below nothing": claim(**grid(-HUGE, -HUGE)),
        "chunks of half": claim(**grid(0.5, 3)),
        "a shape of terabytes": claim(shape=[HUGE, HUGE]),
        "a shape beyond counting": claim(shape=[2**62, 2**62]),
        "a negative shape": claim(shape=[-4, -3]),
        "another shape": claim(shape=[3, 4]),
        "another number of axes": claim(shape=[12]),
        "raw bytes": claim(data_type="r8000000000"),
        "text": claim(data_type="string"),
        "objects": claim(data_type={"name": "object"}),
        "unknown packing": claim(codecs=[{"name": "os.system", "configuration": {"a": "b"}}]),
        "gzip": claim(codecs=[*little, {"name": "gzip", "configuration": {"level": 9}}]),
        "shards in shards": claim(codecs=nested),
        "a long fill value": claim(fill_value=[1] * 100_000),
        "no description": lambda array: {},
        "a list": lambda array: [array],
        "other numbers": claim(data_type="float64"),
        "format 2": claim(zarr_format=2),
    }
    for part, name in (("model", WEIGHT), ("training", "opt_state.0.trace")):
        for what, change in changes.items():
            yield f"{part}: {what}", lambda f, p=part, n=name, c=change: _claim(f / p, n, c)
        yield f"{part}: no array", lambda f, p=part, n=name: _put(f / p, f"{n}/zarr.json", None)
        yield f"{part}: no numbers", lambda f, p=part, n=name: _put(f / p, f"{n}/c/0/0", None)
        shards = {
            "zeros": _zeros(8),
            "gigabytes of zeros": _zeros(1 << 15),
            "nothing": b"",
            "no index": bytes(16),
            "an index without end": b"\xff" * 16,
            "too much": bytes(1 << 20),
        }
        for what, data in shards.items():
            key = f"{name}/c/0/0"
            yield f"{part}: a shard of {what}", lambda f, p=part, k=key, d=data: _put(f / p, k, d)


def _store(part: Path) -> ts.KvStore:
    return ts.KvStore.open({"driver": "ocdbt", "base": f"file://{part}/"}).result()


def _claim(part: Path, name: str, change: Callable[[dict], object]) -> None:
    key = f"{name}/zarr.json"
    array = json.loads(_store(part).read(key).result().value)
    _put(part, key, json.dumps(change(array)).encode())


def _put(part: Path, key: str, value: bytes | None) -> None:
    _store(part).write(key, value).result()


def _zeros(blocks: int) -> bytes:
    """A shard whose one chunk is that many blocks of 128 KB of zeros, four bytes each."""
    from tensorboardX.crc32c import crc32c

    block = 1 << 1 | (128 << 10) << 3
    body = b"\x28\xb5\x2f\xfd\0" + bytes([7 << 3]) + (block.to_bytes(3, "little") + b"\0") * blocks
    body += (block | 1).to_bytes(3, "little") + b"\0"
    index = (0).to_bytes(8, "little") + len(body).to_bytes(8, "little")
    return body + index + crc32c(index).to_bytes(4, "little")


def _checksums(outside: Path) -> Iterator[Attack]:
    """Forged lists of checksums: what the seal beside the folder may say."""
    whole = [0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]  # of no bytes
    (outside / "file").write_bytes(b"")
    lists = {
        "names the system": {"/dev/zero": whole, "/dev/tty": whole},
        "leads away": {f"../../../../{outside.name}/file": whole},
        "names itself": {f"../{STEP}.seal.json": whole},
        "names a folder": {"model": whole},
        "a long name": {"x" * 5000: whole},
        "a name with a zero": {"a\0b": whole},
        "sizes without end": {ORBAX: [float("inf"), ""]},
        "no pairs": {ORBAX: [1, 2, 3]},
        "a list": [],
    }
    for what, forged in lists.items():
        text = json.dumps({"files": forged, "run": {}})
        yield f"checksums: {what}", lambda folder, text=text: _seal(folder, text)
    for what, text in (("deep", "[" * 100_000), ("empty", ""), ("no JSON", "\0")):
        yield f"checksums: {what}", lambda folder, text=text: _seal(folder, text)


def _seal(folder: Path, text: str) -> None:
    seal_of(folder).write_text(text)
