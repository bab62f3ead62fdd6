"""Every figure in the README comes from a record that says how to get it again."""

import json
from pathlib import Path

from experiments.results_table import MARKS, ROOT, table


def test_the_readme_shows_the_records():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = text.split(MARKS[0])[1].split(MARKS[1])[0]
    assert shown == table(), "run: python -m experiments.results_table --write"


def test_records_are_whole():
    for path in Path(ROOT / "results").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        for key in ("config", "command", "seed", "versions", "hardware", "protocol", "training"):
            assert record[key] is not None, f"{path.name} lacks {key}"
        assert 0 <= record["metrics"]["top1"] <= 1
