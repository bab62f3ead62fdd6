"""The table of all keys: the one place that says what there is in a config.

Defaults (base.py, networks.py), checks (checks.py), the configs of older runs (stored.py), what a
resumed run may change (runs/identity.py), `posec3d help config` and docs/configuration.md
(reference.py) are made of it. To add a key, add it to the file of its part, with `earlier` for the
runs that are there already, and write docs/configuration.md again (reference.py says how).
"""

from collections.abc import Iterator

from posec3d_jax.config.keys import data, geometry, model, sampling, training
from posec3d_jax.config.keys.key import BOTH, Key
from posec3d_jax.config.values import OneOf

MODEL_NAME = Key("model.name", "slowonly", OneOf(tuple(model.MODELS)), BOTH, "The network.")

# Every key but the networks' own, in the order of the reference page.
KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        *(*training.RUN, *data.KEYS, *sampling.KEYS, *geometry.KEYS),
        *(MODEL_NAME, *training.KEYS),
    )
}
# Keys that older runs have and whose value now follows from other keys.
FORMER_KEYS = ("sampling.next_frames",)
MODELS: dict[str, dict[str, Key]] = {
    network: {key.name: key for key in keys} for network, keys in model.MODELS.items()
}


def find_key(name: str) -> Key | None:
    """The key of a dotted name, or the one whose value that is a part of; None if none is.

    'data.reader_options.num_clips' is a part of 'data.reader_options'. An option that several
    networks have is the first one's.
    """
    for prefix in _prefixes(name):
        for table in (KEYS, *MODELS.values()):
            if prefix in table:
                return table[prefix]
    return None


def _prefixes(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]
