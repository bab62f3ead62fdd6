"""The files of a study: its measurements as JSON and CSV, tables in Markdown, and a figure.

A row is one measurement, a flat dict of facts ('network', 'p', 'seed') and figures ('top1'). A
table puts the mean over seeds of one figure into cells, with the spread (the standard deviation of
a sample) behind it; a table is a panel of the picture too.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.studies.notes import notes_on
from experiments.studies.panels import draw
from experiments.studies.tables import PERCENT, Cell, Row, Table, cells
from posec3d_jax.files import disk
from posec3d_jax.files.disk import write_whole
from posec3d_jax.runs import records


@dataclass(frozen=True)
class Study:
    """A study that has been done."""

    name: str
    question: str  # what it asks, in a sentence
    preset: str
    rows: Sequence[Row]
    tables: Sequence[Table]
    differs: Sequence[str]  # from the paper's setting, in sentences
    facts: Mapping[str, Any] = field(default_factory=dict)  # configs, trainings, versions


def markdown(table: Table, rows: Sequence[Row], note: str = "") -> str:
    """The table, the paper's lines below ours; 'mean ± spread' where there are seeds.

    `note` goes below it, after the table's own.
    """
    ours = cells(table, rows)
    theirs = cells(Table("", table.value, table.columns, table.lines), table.published)
    columns = list(dict.fromkeys(c for line in (*ours.values(), *theirs.values()) for c in line))
    fact = "" if table.columns == "figure" else f"{table.columns} "
    head = [" ".join(table.lines), *(f"{fact}{c}" for c in columns)]
    lines = [_line(label(line), values, columns, table.unit) for line, values in ours.items()]
    lines += [
        _line(f"*{label(line)} (paper)*", values, columns, table.unit)
        for line, values in theirs.items()
    ]
    body = "\n".join([_row(head), "|" + "---|" * len(head), *lines])
    unit = f" ({table.unit})" if table.unit else ""
    notes = "".join(f"\n{part}\n" for part in (table.note, note) if part)
    return f"## {table.title}{unit}\n\n{body}\n{notes}"


def label(line: tuple) -> str:
    """The words that stand for a line, in tables and legends."""
    return ", ".join(str(part).replace("_", " ") for part in line if part != "")


def _line(name: str, values: Mapping[Any, Cell], columns: Sequence, unit: str) -> str:
    return _row([name, *(_text(values.get(column), unit) for column in columns)])


def _row(parts: Sequence[Any]) -> str:
    return "| " + " | ".join(str(part) for part in parts) + " |"


def _text(cell: Cell | None, unit: str) -> str:
    if cell is None:
        return ""
    scale = 100 if unit == PERCENT else 1
    form = ".1f" if unit == PERCENT else ".4g"
    spread = "" if cell.spread is None else f" ± {scale * cell.spread:{form}}"
    return f"{scale * cell.mean:{form}}{spread}"


def write_study(study: Study, folder: str | Path) -> list[Path]:
    """Writes <name>.json, .csv, .md and .png into `folder`; returns their paths."""
    base = Path(folder)
    base.mkdir(parents=True, exist_ok=True)
    paths = [base / f"{study.name}.{kind}" for kind in ("json", "csv", "md", "png")]
    disk.write_json(paths[0], _record(study))
    _write_csv(paths[1], study.rows)
    write_whole(paths[2], page(study, records.command()))
    panels = [(table, cells(table, study.rows)) for table in study.tables if table.in_picture]
    draw(panels, paths[3])
    return paths


def _record(study: Study) -> dict[str, Any]:
    return {
        "name": study.name,
        "question": study.question,
        "preset": study.preset,
        "differs_from_the_paper": list(study.differs),
        "means": list(_means(study)),
        "rows": [dict(row) for row in study.rows],
        "command": records.command(),
        "versions": records.versions(),
        "hardware": records.hardware(),
        **study.facts,
    }


def _means(study: Study) -> Iterator[dict[str, Any]]:
    """Every cell of every table, as one flat dict."""
    for table in study.tables:
        for line, values in cells(table, study.rows).items():
            for column, cell in values.items():
                facts = dict(zip(table.lines, line, strict=True)) | {table.columns: column}
                yield {"table": table.title, **facts, "figure": table.value, **vars(cell)}


def _write_csv(path: Path, rows: Sequence[Row]) -> None:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, keys, restval="")
        writer.writeheader()
        writer.writerows(rows)


def page(study: Study, command: str) -> str:
    """The Markdown page of a study that `command` has made, with the notes beside the results."""
    seeds = {row["seed"] for row in study.rows if "seed" in row}
    spread = f"Mean ± standard deviation over {len(seeds)} seeds. " if len(seeds) > 1 else ""
    title = study.name.replace("_", " ").capitalize()
    notes = notes_on(study.name, study.preset)
    tables = [table for table in study.tables if table.on_page]
    return "\n".join(
        [
            f"# {title} ({study.preset} preset)\n\n{study.question}\n",
            f"![{title}]({study.name}.png)\n",
            *(markdown(table, study.rows, notes.get(table.title, "")) for table in tables),
            f"## How it was made\n\n{spread}Made by `{command}`.\n",
            "What differs from the paper's setting:\n",
            *(f"* {sentence}" for sentence in study.differs),
            "",
        ]
    )
