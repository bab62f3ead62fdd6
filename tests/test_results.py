"""Every figure in the README comes from a record that says how to get it again."""

import json
from pathlib import Path

from experiments.results_table import MARKS, ROOT, STUDY_MARKS, study_tables, table


def test_the_readme_shows_the_records():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = text.split(MARKS[0])[1].split(MARKS[1])[0]
    assert shown == table(), "run: python -m experiments.results_table --write"
    shown = text.split(STUDY_MARKS[0])[1].split(STUDY_MARKS[1])[0]
    assert shown == study_tables(), "run: python -m experiments.results_table --write"


def test_records_are_whole():
    for path in Path(ROOT / "results").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        for key in ("config", "command", "seed", "versions", "hardware", "protocol", "training"):
            assert record[key] is not None, f"{path.name} lacks {key}"
        assert 0 <= record["metrics"]["top1"] <= 1


def test_records_of_studies_are_whole_and_have_three_seeds():
    for path in Path(ROOT / "results" / "studies").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        for key in ("question", "command", "versions", "hardware", "means", "trainings"):
            assert record[key] is not None, f"{path.name} lacks {key}"
        seeds = {row["seed"] for row in record["rows"] if "top1" in row}
        assert not seeds or len(seeds) >= 3, f"{path.name} has seeds {seeds}"
