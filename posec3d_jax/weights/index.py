"""The published checkpoints by name: what each is, where it lies, and what is known about it.

`index.tsv` beside this file holds them, one a line; `python -m experiments.weights_index` makes it
of the projects' own tables.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

INDEX = Path(__file__).with_name("index.tsv")
_ADDRESS = re.compile(r"https://[\w.-]+(?:/[\w.+-]+)+\.pth")
_NAME = re.compile(r"[a-z0-9_]+(?:-[a-z0-9_]+)+")


@dataclass(frozen=True)
class Entry:
    """One checkpoint, as its publisher's table describes it; '' where that says nothing."""

    name: str  # 'ntu60_xsub-slowonly-joint'
    project: str  # 'pyskl' or 'mmaction2'
    benchmark: str  # data set and split, 'ntu60_xsub'
    poses: str  # what the network was shown: 'hrnet' (2-D), '3d', 'rgb'
    network: str  # 'slowonly', 'slowonly_346', 'stgcnpp', ...
    stream: str  # 'joint', 'limb', 'bone', ...
    accuracy: str  # percent, as published
    licence: str  # of the checkpoint; the data set's terms come on top
    sha256: str  # first digits of the file's hash
    url: str


@cache
def load_index() -> tuple[Entry, ...]:
    """Every entry, in the index's order.

    Raises:
      ValueError: a line of the index that is none; names it.
    """
    lines = INDEX.read_text(encoding="utf-8").splitlines()
    names = tuple(field.name for field in fields(Entry))
    if tuple(lines[0].split("\t")) != names:
        raise ValueError(f"{INDEX}: the first line should name {', '.join(names)}")
    entries = tuple(_entry(number, line) for number, line in enumerate(lines[1:], 2))
    if len({entry.name for entry in entries}) != len(entries):
        raise ValueError(f"{INDEX}: a name stands there twice")
    return entries


def _entry(number: int, line: str) -> Entry:
    values = line.split("\t")
    if len(values) != len(fields(Entry)):
        raise ValueError(f"{INDEX}, line {number}: {len(values)} columns, {len(fields(Entry))} due")
    entry = Entry(*values)
    if not _NAME.fullmatch(entry.name) or not _ADDRESS.fullmatch(entry.url):
        raise ValueError(f"{INDEX}, line {number}: no name or no address: {line!r}")
    return entry


def find_entry(name: str) -> Entry:
    """The entry of that name.

    Raises:
      ValueError: there is none; says which are nearest.
    """
    known = {entry.name: entry for entry in load_index()}
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, 3, 0.5)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    raise ValueError(
        f"no published weights are called {name!r}; {hint}`posec3d weights list` shows all names"
    )


def matching(words: Iterable[str]) -> list[Entry]:
    """The entries whose name or project holds every one of the words."""
    words = [word.lower() for word in words]
    return [
        entry
        for entry in load_index()
        if all(word in f"{entry.name} {entry.project}" for word in words)
    ]


def table(entries: Iterable[Entry]) -> str:
    """The entries as aligned text, one a line, below a line of headings."""
    heads = ("name", "accuracy %", "network", "poses", "project", "licence", "hash")
    rows = [heads]
    for entry in entries:
        known = entry.sha256 or "-"
        facts = (entry.network, entry.poses, entry.project, entry.licence, known)
        rows.append((entry.name, entry.accuracy or "-", *facts))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join(lines)
