"""Every figure in the pages comes from a record that says how to get it again."""

import json
from pathlib import Path

import pytest

from experiments.results_table import MARKS, PAGE, README, ROOT, full_table, short_table
from experiments.studies.notes import notes_on
from experiments.studies.pages import FOLDER as STUDIES
from experiments.studies.pages import page_of


@pytest.mark.parametrize(("page", "table"), [(README, short_table), (PAGE, full_table)])
def test_the_pages_show_the_records(page, table):
    shown = page.read_text("utf-8").split(MARKS[0])[1].split(MARKS[1])[0]
    assert shown == table(), "run: python -m experiments.results_table --write"


@pytest.mark.parametrize("record", sorted(STUDIES.glob("*.json")), ids=lambda path: path.stem)
def test_a_page_of_a_study_is_what_its_record_and_notes_make(record):
    page = record.with_suffix(".md")
    assert page.read_text("utf-8") == page_of(record), "run: python -m experiments.studies.pages"
    included = (ROOT / "docs" / "results" / "studies.md").read_text("utf-8")
    assert f"results/studies/{page.name}\n" in included


def test_every_note_stands_below_a_table():
    for notes in STUDIES.glob("notes/*/*.md"):
        titles = notes_on(notes.stem, notes.parent.name)
        page = (STUDIES / notes.name).read_text("utf-8")
        assert titles and all(text in page for text in titles.values()), notes


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
