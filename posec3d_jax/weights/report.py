"""The table that an import or export prints: each tensor's two names and shapes."""

from dataclasses import dataclass, field

from posec3d_jax.files.tables import align, shape_text
from posec3d_jax.weights.names import is_transposed


@dataclass(frozen=True)
class Row:
    """A tensor that has a place on both sides."""

    name: str  # the references'
    shape: tuple[int, ...]
    dtype: str  # of the file; ours is float32
    ours: str
    our_shape: tuple[int, ...]

    @property
    def conversion(self) -> str:
        """What was done to it: transposed, rounded or widened to float32, or nothing."""
        steps = ["transposed"] * is_transposed(self.name, len(self.shape))
        if self.dtype != "float32":
            steps.append(f"{self.dtype} to float32")
        return ", ".join(steps) or "copied"


@dataclass(frozen=True)
class Report:
    """What became of every tensor; `str()` is the table, with the totals in its last lines."""

    title: str
    rows: list[Row]
    left_over: dict[str, str] = field(default_factory=dict)  # name to reason
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [
            [r.name, shape_text(r.shape), r.ours, shape_text(r.our_shape), r.conversion]
            for r in self.rows
        ]
        header = ["reference", "shape", "here", "shape", "conversion"]
        left = [["left over", "reason"], *([n, why] for n, why in self.left_over.items())]
        blocks = [self.title, align([header, *lines])]
        blocks += [align(left)] if self.left_over else []
        blocks += [f"Note: {note}" for note in self.notes]
        return "\n\n".join([*blocks, self._totals()])

    def _totals(self) -> str:
        kinds: dict[str, int] = {}
        for row in self.rows:
            kinds[row.conversion] = kinds.get(row.conversion, 0) + 1
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        return f"{len(self.rows)} tensors mapped ({counts})"
