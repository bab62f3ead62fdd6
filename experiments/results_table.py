"""The tables of results, made from the records in results/; nothing in them is typed.

python -m experiments.results_table           # prints them
python -m experiments.results_table --write   # puts them between the marks in the pages
"""

import json
import sys
from pathlib import Path

from experiments.baselines.figures import svm

ROOT = Path(__file__).resolve().parents[1]
MARKS = ("<!-- results -->\n", "<!-- end of results -->\n")
README, PAGE = ROOT / "README.md", ROOT / "docs" / "results" / "results.md"
# Records that the README shows; the page has them all.
SHOWN = (
    "penn_action_fused",
    "utd_mhad_kinect_own",
    "utd_mhad_blazepose_joint",
    "nw_ucla_joint",
    "sbu_joint",
)
BASELINES = ("penn_action", "utd_mhad_kinect", "utd_mhad_blazepose", "nw_ucla", "sbu")
HEADER = (
    "| result | protocol | clips | top-1 | mean class | 1 clip | SVM: standardised / raw |"
    " network, volume | training | record |"
)
SHORT = (
    "| data set | clips | top-1 | SVM: standardised / raw | network, volume | training | record |"
)


def full_table(folder: Path = ROOT / "results") -> str:
    """Markdown rows, one a record; links are from docs/results/."""
    return _table(HEADER, [_row(path) for path in sorted(folder.glob("*.json"))])


def short_table(folder: Path = ROOT / "results") -> str:
    """The README's rows; links are from the repository's root."""
    return _table(SHORT, [_short_row(folder / f"{name}.json") for name in SHOWN])


def _table(header: str, rows: list[list]) -> str:
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join([header, "|" + "---|" * (header.count("|") - 1), *lines]) + "\n"


def _row(path: Path) -> list:
    record = json.loads(path.read_text(encoding="utf-8"))
    one = record.get("all_protocols", {}).get("1 clip", {}).get("top1")
    return [
        path.stem.replace("_", " "),
        record["protocol"],
        record["clips"],
        f"**{_percent(record['metrics']['top1'])}**",
        _percent(record["metrics"]["mean_class"]),
        "" if one is None else _percent(one),
        _svm(path),
        _network(record["config"]),
        _time(record),
        f"[json](../../results/{path.name})",
    ]


def _short_row(path: Path) -> list:
    name, _, clips, top1, _, _, baseline, network, minutes, _ = _row(path)
    return [name, clips, top1, baseline, network, minutes, f"[json](results/{path.name})"]


def _svm(path: Path) -> str:
    name = next((name for name in BASELINES if path.stem.startswith(name)), None)
    return svm(name) if name else ""


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}"


def _network(config: dict | list) -> str:
    config = config[0] if isinstance(config, list) else config
    model, frames = config["model"], config["sampling"]["num_frames"]
    if config.get("encoder") == "graph":
        return f"{model['name']}, width {model['width']}, {frames} frames"
    size = " x ".join(str(side) for side in config["volume"]["train_size"])
    return f"{model['name']}, width {model['width']}, {frames} x {size}"


def _time(record: dict) -> str:
    runs = record["training"]
    runs = runs if isinstance(runs, list) else [runs]
    minutes = sum(run.get("seconds", 0) for run in runs) / 60
    return f"{minutes:.0f} min"


def page_with(text: str, rows: str) -> str:
    """The page with `rows` between the marks."""
    before, rest = text.split(MARKS[0])
    return before + MARKS[0] + rows + MARKS[1] + rest.split(MARKS[1])[1]


def main(argv: list[str]) -> None:
    for page, rows in ((README, short_table()), (PAGE, full_table())):
        if "--write" in argv:
            page.write_text(page_with(page.read_text("utf-8"), rows), encoding="utf-8")
        else:
            print(rows)


if __name__ == "__main__":
    main(sys.argv)
