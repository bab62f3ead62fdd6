"""The few pieces of HTML that a report is made of; everything is escaped, nothing is fetched."""

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape

from matplotlib.figure import Figure

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6672; --line: #d9dde2;
  --page: #ffffff; --bar: #cfe3f5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7ea; --soft: #98a3ae; --line: #39414a;
  --page: #16191d; --bar: #1f4468; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 2rem 1.5rem 4rem; color: var(--ink);
  background: var(--page); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.25rem; margin: 2.6rem 0 .6rem;
  border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
p.lead { font-size: 1.15rem; margin: .3rem 0 1rem; } p.note, figcaption { color: var(--soft); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .18rem .8rem .18rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
th.number, td.number { text-align: right; padding-left: .8rem; white-space: nowrap; }
td.bar { background: linear-gradient(90deg, var(--bar) var(--share), transparent 0) content-box; }
.columns { columns: 2 26rem; column-gap: 2.5rem; }
.columns table { width: 100%; } .columns tr { break-inside: avoid; }
figure { margin: 1rem 0; } figure img { max-width: 100%; height: auto; background: #fff;
  padding: .5rem; border-radius: 4px; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } figure, tr { break-inside:
  avoid; } h2, h3 { break-after: avoid; } td.bar { print-color-adjust: exact; } }
"""


def page(title: str, body: Iterable[str]) -> str:
    """A whole document."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def heading(text: str, level: int = 2) -> str:
    return f"<h{level}>{escape(text)}</h{level}>"


def paragraph(text: str, kind: str = "") -> str:
    """`kind`: '', 'lead' (large) or 'note' (pale)."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Numbers are set to the right; a `Bar` is a percentage over a bar. '' for all: no head."""
    rows = [list(row) for row in rows]
    numeric = [
        bool(rows) and all(isinstance(row[i], int | float) for row in rows)
        for i in range(len(columns))
    ]
    head = "".join(
        f'<th class="number">{escape(name)}</th>' if right else f"<th>{escape(name)}</th>"
        for name, right in zip(columns, numeric, strict=True)
    )
    body = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    head = f"<thead><tr>{head}</tr></thead>\n" if any(columns) else ""
    return f"<table>\n{head}<tbody>\n{body}\n</tbody>\n</table>"


class Share(float):
    """A fraction that a table shows as a percentage; NaN as a dash."""

    def __str__(self) -> str:
        return "–" if self != self else f"{100 * self:.2f} %"


class Bar(Share):
    """A fraction that is drawn as well."""


def _cell(value: object) -> str:
    if isinstance(value, Bar) and value == value:
        share = f"--share: {100 * value:.1f}%"
        return f'<td class="number bar" style="{share}">{value}</td>'
    if isinstance(value, int | float):
        return f'<td class="number">{value}</td>'
    return f"<td>{escape(str(value))}</td>"


def columns(content: str) -> str:
    """Content flowing in two columns where the page is wide enough."""
    return f'<div class="columns">\n{content}\n</div>'


def picture(png: bytes, caption: str = "") -> str:
    """An embedded PNG."""
    data = base64.b64encode(png).decode("ascii")
    text = escape(caption)
    image = f'<img alt="{text}" src="data:image/png;base64,{data}">'
    return f"<figure>{image}{f'<figcaption>{text}</figcaption>' if caption else ''}</figure>"


def chart(figure: Figure, caption: str = "") -> str:
    """An embedded figure of matplotlib's."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=120, format="png", bbox_inches="tight", pad_inches=0.08)
    return picture(buffer.getvalue(), caption)
