"""What a report is made of, and the page that it becomes; all is escaped, nothing is fetched."""

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import jinja2
from matplotlib.figure import Figure

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("posec3d_jax.reports"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)


@dataclass(frozen=True)
class Heading:
    """A line above a section; level 1 is the page's."""

    kind: ClassVar = "heading"
    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Text; `style`: '', 'lead' (large) or 'note' (pale)."""

    kind: ClassVar = "paragraph"
    text: str
    style: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under names of columns ('' for all: no head); two columns where the page is wide.

    Numbers are set to the right, a `Bar` is a percentage over a bar.
    """

    kind: ClassVar = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    two_columns: bool = False

    @property
    def has_head(self) -> bool:
        return any(self.columns)

    @property
    def head(self) -> list[tuple[str, bool]]:
        """Each column's name, and whether all in it are numbers."""
        return [
            (name, bool(self.rows) and all(isinstance(row[i], int | float) for row in self.rows))
            for i, name in enumerate(self.columns)
        ]


@dataclass(frozen=True)
class Picture:
    """An embedded PNG."""

    kind: ClassVar = "picture"
    png: bytes
    caption: str = ""

    @property
    def data(self) -> str:
        return base64.b64encode(self.png).decode("ascii")


Block = Heading | Paragraph | Table | Picture


class Share(float):
    """A fraction that a table shows as a percentage; NaN as a dash."""

    @property
    def known(self) -> bool:
        return self == self

    def __str__(self) -> str:
        return f"{100 * self:.2f} %" if self.known else "–"


class Bar(Share):
    """A fraction that is drawn as well."""

    drawn = True


def chart(figure: Figure, caption: str = "") -> Picture:
    """A figure of matplotlib's as a picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=120, format="png", bbox_inches="tight", pad_inches=0.08)
    return Picture(buffer.getvalue(), caption)


def page(title: str, blocks: Iterable[Block]) -> str:
    """A whole document (templates/report.html)."""
    return _TEMPLATES.get_template("report.html").render(title=title, blocks=blocks)
