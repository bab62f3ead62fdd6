"""The table of keys as people read it: `posec3d help config`, and docs/configuration.md.

  python -m posec3d_jax.config.reference docs/configuration.md

writes that page again; a test fails where it is not as the table is.
"""

import difflib
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

from posec3d_jax.config.keys import KEYS, MODELS, Key
from posec3d_jax.config.keys.key import ALWAYS

_HEAD = """# Configuration

Every key of a config: its default, what it may be, and what depends on it. This page is made by
`python -m posec3d_jax.config.reference docs/configuration.md` from the table in
`posec3d_jax/config/keys`, which also checks what is set.

A config is a Python file whose function `get_config` starts from `base.get_config()`, which has
the defaults below, and assigns:

```python
from posec3d_jax.config import base


def get_config():
    config = base.get_config()
    config.train.epochs = 10
    return config
```

`posec3d configs` lists those that come with the package, and `posec3d configs custom > mine.py`
starts one of your own. On the command line `--config=mine.py --config.train.epochs=10` sets a key,
`--config.volume.train_size=32` both numbers of a square, and
`--config.geometry.crop_area='(0.5, 1.0)'` a tuple.

*Decides* says whose numbers a key changes: those of the **training** (its updates, and the
validation in between), of the **tests** of a trained network, of both, or none. A run is only
resumed with the keys that decide training as they were; `posec3d evaluate` lists the keys that
decide tests and are not as the run had them. *Earlier* is what runs did that are older than the
key, and what they still do.
"""


def markdown() -> str:
    """The reference page."""
    parts = [_HEAD]
    for part, keys in _parts().items():
        parts.append(f"## {part or 'The run'}\n\n{_table(keys)}")
    for network, keys in MODELS.items():
        parts.append(f"## model of {network}\n\n{_table(keys.values())}")
    return "\n".join(parts)


def explain(topic: str = "") -> str:
    """The keys as text: all, those of a part ('train'), or one ('train.epochs').

    Raises ValueError for what is neither a key nor a part.
    """
    found = [
        _paragraph(key, network)
        for network, keys in {"": KEYS, **MODELS}.items()
        for key in keys.values()
        if not topic or key.name == topic or key.name.startswith(f"{topic}.")
    ]
    if not found:
        known = {part for key in KEYS for part in (key, key.partition(".")[0])}
        close = difflib.get_close_matches(topic, known, 1, 0.6)
        hint = f"; did you mean config.{close[0]}?" if close else ""
        raise ValueError(f"there is no key config.{topic}{hint}")
    return "\n".join(found)


def _parts() -> dict[str, list[Key]]:
    """The keys by the part of a config that they stand in."""
    parts: dict[str, list[Key]] = {}
    for key in KEYS.values():
        parts.setdefault(key.name.rpartition(".")[0].split(".")[0], []).append(key)
    return parts


def _table(keys: Iterable[Key]) -> str:
    lines = ["| key | default | may be | decides | meaning |", "|---|---|---|---|---|"]
    for key in keys:
        cells = (f"`{key.name}`", f"`{key.default!r}`", key.values.words, key.decides, _text(key))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _text(key: Key) -> str:
    return key.meaning if key.earlier is ALWAYS else f"{key.meaning} Earlier: `{key.earlier!r}`."


def _paragraph(key: Key, network: str) -> str:
    title = f"config.{key.name}" + f" of {network}" * bool(network)
    values = f"May be {key.values.words}; is {key.default!r}. Decides {key.decides}."
    lines = textwrap.wrap(f"{_text(key)} {values}", 92)
    return "\n".join([title, *(f"    {line}" for line in lines)])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(markdown(), "utf-8")
