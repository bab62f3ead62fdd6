"""What the tables of a study show, and the likeliest reasons: written beside the results."""

import re
from pathlib import Path

from experiments.baselines.figures import filled

FOLDER = Path(__file__).resolve().parents[2] / "results" / "studies" / "notes"


def notes_on(study: str, preset: str) -> dict[str, str]:
    """By title of a table, the text below it; {} where nobody has written any.

    They are in `<preset>/<study>.md`, under a heading a table. `{svm <problem>}` and
    `{commonest <problem>}` in them stand for figures of the baselines' record.
    """
    path = FOLDER / preset / f"{study}.md"
    if not path.is_file():
        return {}
    _, *sections = re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    parts = [section.partition("\n") for section in sections]
    return {title.strip(): _unwrapped(filled(text)) for title, _, text in parts}


def _unwrapped(text: str) -> str:
    """A line a paragraph, as the pages have them."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n") if part.strip())
