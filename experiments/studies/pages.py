"""Writes the studies' pages again from their records, as after a change of a note.

python -m experiments.studies.pages           # which pages differ from their records
python -m experiments.studies.pages --write   # and writes them
"""

import importlib
import json
import sys
from pathlib import Path

from experiments.studies.report import page

FOLDER = Path(__file__).resolve().parents[2] / "results" / "studies"


def page_of(record: Path) -> str:
    """The page that a record of a study, results/studies/<name>.json, makes."""
    found = json.loads(record.read_text(encoding="utf-8"))
    module = importlib.import_module(f"experiments.studies.{found['name']}")
    return page(module.report(found["preset"], found["rows"]), found["command"])


def main(argv: list[str]) -> None:
    for record in sorted(FOLDER.glob("*.json")):
        path, text = record.with_suffix(".md"), page_of(record)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            print(path)
            if "--write" in argv:
                path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv)
