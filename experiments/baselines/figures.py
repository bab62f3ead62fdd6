"""The baselines' figures as text, from their record: what tables and notes show of them."""

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RECORD = Path(__file__).resolve().parents[2] / "results" / "baselines" / "svm.json"
_SLOT = re.compile(r"\{(svm|commonest) ([^}]+)\}")


@functools.cache
def _recorded() -> Mapping[str, Any]:
    return json.loads(RECORD.read_text(encoding="utf-8"))["figures"]


def svm(problem: str) -> str:
    """Percent, on standardised and on raw features: '73.7 / 82.6'.

    Raises:
      KeyError: the record has no such problem.
    """
    found = _recorded()[problem]
    return f"{found['standardised']:.1f} / {found['raw']:.1f}"


def commonest_class(problem: str) -> str:
    """Percent that the commonest class of the test clips alone would give; the first fold's."""
    return f"{_recorded()[problem]['folds'][0]['commonest_class']:.1f}"


def filled(text: str) -> str:
    """The text with `{svm <problem>}` and `{commonest <problem>}` replaced by the figures."""
    figures = {"svm": svm, "commonest": commonest_class}
    return _SLOT.sub(lambda slot: figures[slot[1]](slot[2]), text)
