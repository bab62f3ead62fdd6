"""The README's tables of results, made from the records in results/; nothing in them is typed.

python -m experiments.results_table           # prints them
python -m experiments.results_table --write   # puts them between the marks in README.md
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MARKS = ("<!-- results -->\n", "<!-- end of results -->\n")
STUDY_MARKS = ("<!-- studies -->\n", "<!-- end of studies -->\n")
# Studies whose first tables are in the README.
SHOWN = (
    "efficiency",
    "robustness",
    "cross_annotation",
    "noise_training",
    "cross_data_set",
    "few_labels",
    "scalability",
    "sampling_and_crop",
)
# A plain RBF-SVM on box-normalised 2-D joints of 16 frames, on the same files and splits.
SVM = {
    "penn_action": "93.4",
    "utd_mhad_kinect": "74.7 - 77.4",
    "utd_mhad_blazepose": "65.3",
    "nw_ucla": "63.6",
    "sbu": "76.9 - 83.9",
}
HEADER = (
    "| result | protocol | clips | top-1 | mean class | 1 clip | SVM | network, volume |"
    " training | record |"
)


def table(folder: Path = ROOT / "results") -> str:
    """Markdown rows, one a record."""
    paths = sorted(folder.glob("*.json"))
    rows = [_row(path, json.loads(path.read_text(encoding="utf-8"))) for path in paths]
    return "\n".join([HEADER, "|" + "---|" * (HEADER.count("|") - 1), *rows]) + "\n"


def _row(path: Path, record: dict) -> str:
    one = record.get("all_protocols", {}).get("1 clip", {}).get("top1")
    cells = [
        path.stem.replace("_", " "),
        record["protocol"],
        record["clips"],
        f"**{_percent(record['metrics']['top1'])}**",
        _percent(record["metrics"]["mean_class"]),
        "" if one is None else _percent(one),
        next((svm for name, svm in SVM.items() if path.stem.startswith(name)), ""),
        _network(record["config"]),
        _time(record),
        f"[json](results/{path.name})",
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


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


def study_tables(folder: Path = ROOT / "results" / "studies") -> str:
    """The first table of each study in SHOWN, from its report, with a link to the rest."""
    pages = [folder / f"{name}.md" for name in SHOWN]
    return "\n".join(_first_table(page) for page in pages if page.is_file())


def _first_table(page: Path) -> str:
    table = page.read_text(encoding="utf-8").split("### ")[1]
    title, body = table.split("\n", 1)
    return f"**{title}** ([more](results/studies/{page.name}))\n{body.rstrip()}\n"


def readme_with(text: str, rows: str, marks: tuple[str, str] = MARKS) -> str:
    """The README with `rows` between the marks."""
    before, rest = text.split(marks[0])
    return before + marks[0] + rows + marks[1] + rest.split(marks[1])[1]


def main(argv: list[str]) -> None:
    readme = ROOT / "README.md"
    if "--write" not in argv:
        print(table(), study_tables(), sep="\n", end="")
        return
    text = readme_with(readme.read_text("utf-8"), table())
    readme.write_text(readme_with(text, study_tables(), STUDY_MARKS), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv)
