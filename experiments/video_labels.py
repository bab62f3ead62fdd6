"""Labels and splits of videos, as `posec3d extract --labels` reads them.

  python -m experiments.video_labels ut_interaction <labels.csv> --out=labels.csv
  python -m experiments.video_labels utd_mhad <video> --every=2 --out=labels.csv

UT-Interaction's own table names class, sequence and scene of a clip; UTD-MHAD's files are called
after action, subject and trial, a3_s1_t2.mp4. Of UTD-MHAD the odd subjects train and the even ones
test, as published; with --every=2 only actions 1, 3, 5, ... are listed.
"""

import argparse
import csv
import re
from collections.abc import Iterator
from pathlib import Path

SCENES = {"1": "parking_lot", "2": "lawn"}
_UTD = re.compile(r"a(\d+)_s(\d+)_t\d+")
Row = tuple[str, str, str]  # video, label, splits


def ut_interaction(table: Path) -> Iterator[Row]:
    """Each clip is in a split of its sequence and in one of its scene; 'none' clips are left out.

    Raises:
      KeyError: the table has other columns.
    """
    with open(table, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["label"] != "none":
                splits = f"sequences_{row['split_seq']};{SCENES[row['source_set']]}"
                yield Path(row["file"]).name, row["label"], splits


def utd_mhad(folder: Path, every: int = 1) -> Iterator[Row]:
    """Of each `every`-th action all clips; the label is the action's number, 'a03'."""
    for file in sorted(folder.glob("*.mp4")):
        found = _UTD.fullmatch(file.stem)
        if found and (int(found[1]) - 1) % every == 0:
            split = "train" if int(found[2]) % 2 else "test"
            yield file.name, f"a{int(found[1]):02d}", split


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_set", choices=("ut_interaction", "utd_mhad"))
    parser.add_argument("source", type=Path, help="UT-Interaction's table, or UTD-MHAD's folder")
    parser.add_argument("--every", type=int, default=1, help="of UTD-MHAD: each n-th action")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.data_set == "ut_interaction":
        rows = ut_interaction(arguments.source)
    else:
        rows = utd_mhad(arguments.source, arguments.every)
    with open(arguments.out, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("video", "label", "split"))
        writer.writerows(rows)


if __name__ == "__main__":
    main()
