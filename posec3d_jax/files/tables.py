"""Tables as plain text."""

from collections.abc import Sequence


def shape_text(shape: Sequence[int]) -> str:
    """'32x17x1x7x7', or 'scalar'."""
    return "x".join(map(str, shape)) or "scalar"


def align(lines: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Columns as wide as their widest cell; those in `right` are flush right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = []
    for line in lines:
        cells = zip(line, widths, strict=True)
        cells = (c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(cells))
        text.append("  ".join(cells).rstrip())
    return "\n".join(text)
