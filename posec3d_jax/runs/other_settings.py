"""What is not as it was when a run was trained: keys of its config, and the classes of its data."""

from pathlib import Path

from absl import logging

from posec3d_jax.config import stored
from posec3d_jax.config.keys.key import BOTH, TESTS
from posec3d_jax.files import disk
from posec3d_jax.runs import records


def tell_differences(config, workdir: str | Path) -> list[str]:
    """Warns of every key that decides what a test says and is not as in the run that was trained.

    One line a key; there may be reasons for them: another data set, another protocol. Nothing of a
    run without a config of its own.
    """
    before = stored.stored_config(workdir)
    if not before:
        return []
    found = stored.differing(before, stored.config_to_dict(config), (TESTS, BOTH))
    lines = [f"config.{key}: {old} in the run, now {new}" for key, (old, new) in found.items()]
    if lines:
        logging.warning(
            "the config differs from that of the run in %s:\n  %s", workdir, "\n  ".join(lines)
        )
    return lines


def tell_classes(workdir: Path, names: tuple[str, ...]) -> list[str]:
    """Warns where the data set's classes are not those that the run was trained to tell apart.

    As many classes in another order give figures that mean nothing, without any other sign.
    """
    before = tuple(disk.read_json(workdir / records.RUN_FILE).get("class_names") or ())
    if not (before and names) or before == names:
        return []
    pairs = [(k, a, b) for k, (a, b) in enumerate(zip(before, names, strict=False)) if a != b]
    k, old, new = (pairs or [(min(len(before), len(names)), "none", "none")])[0]
    line = f"class {k} is {old!r} in the run and {new!r} in the data set"
    line += f", and so on for {len(pairs)} classes" if len(pairs) > 1 else ""
    logging.warning("the figures may mean nothing: %s", line)
    return [line]
