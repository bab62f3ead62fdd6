"""What every reader returns: sequences, the data set around them, and the report of findings."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np

from posec3d_jax.skeletons.skeleton import Skeleton

SEVERITIES = ("error", "warning")


@dataclass(frozen=True)
class SkeletonSequence:
    """One labelled video as skeletons.

    A reader may yield raw arrays (any real dtype, NaN, no scores); `validation.check_sequence`
    turns such a sequence into one that keeps the promises below, or refuses it.
    """

    name: str  # unique clip id
    keypoint: np.ndarray  # float32 [M, T, V, 2], (x, y) pixels; missing joints are exact zeros
    score: np.ndarray | None  # float32 [M, T, V], confidence; None only before the check
    frame_size: tuple[int, int]  # (height, width) pixels
    label: int  # 0-based class
    file: str = ""  # where it was read from, for messages


@dataclass(frozen=True)
class SkeletonDataset:
    """What a reader returns: the splits at once, the sequences as they are read."""

    name: str
    skeleton: Skeleton
    class_names: tuple[str, ...]  # () when the format has none
    splits: dict[str, tuple[str, ...]]  # split name -> clip names; splits may overlap
    sequences: Iterable[SkeletonSequence]  # one pass, lazily read, in file order
    total: int  # number of samples on disk, the bad ones included; for progress
    notes: tuple[str, ...] = ()  # what a user should know, e.g. how 3-D was projected
    splits_file: str = ""  # where the splits were read from, for messages
    keys: Mapping[str, str] = field(default_factory=dict)  # our fields by the file's names


@dataclass(frozen=True)
class Finding:
    """One thing that was wrong with one sample (or with the file, when `sample` is empty)."""

    kind: str  # machine-readable: 'label_out_of_range'
    sample: str  # clip name
    message: str  # what was wrong, what was expected, what to do
    file: str = ""
    key: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        where = ", ".join(
            f"{what} {value!r}"
            for what, value in (("file", self.file), ("sample", self.sample), ("key", self.key))
            if value
        )
        return f"{self.severity} [{self.kind}] {where}: {self.message}"


@dataclass
class ValidationReport:
    """Collects findings. Errors are samples left out (or refused), warnings are samples kept."""

    findings: list[Finding] = field(default_factory=list)

    def add(
        self,
        kind: str,
        sample: str,
        message: str,
        file: str = "",
        key: str = "",
        severity: str = "error",
    ) -> None:
        """Record one finding; ValueError for a severity other than 'error' and 'warning'."""
        if severity not in SEVERITIES:
            raise ValueError(f"severity {severity!r} is not one of {SEVERITIES}")
        self.findings.append(Finding(kind, sample, message, str(file), key, severity))

    @property
    def errors(self) -> list[Finding]:
        return [f for f in self.findings if f.severity == "error"]

    @property
    def warnings(self) -> list[Finding]:
        return [f for f in self.findings if f.severity == "warning"]

    def counts(self) -> dict[str, int]:
        """Findings of each kind, in the order in which the kinds first appeared."""
        return dict(Counter(f.kind for f in self.findings))

    def to_dict(self, limit: int = 200) -> dict:
        """JSON-able form: exact counts, every error, and the first `limit` warnings of a kind."""
        seen: Counter[str] = Counter()
        kept = []
        for finding in self.warnings:
            seen[finding.kind] += 1
            if seen[finding.kind] <= limit:
                kept.append(asdict(finding))
        return {
            "counts": self.counts(),
            "num_errors": len(self.errors),
            "num_warnings": len(self.warnings),
            "errors": [asdict(finding) for finding in self.errors],
            "warnings": kept,
        }

    def summary(self, limit: int = 5) -> str:
        """A few lines for a person: each kind with its count and its first `limit` findings."""
        errors, warnings = len(self.errors), len(self.warnings)
        lines = [f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}"]
        for kind, count in self.counts().items():
            members = [f for f in self.findings if f.kind == kind]
            lines.append(f"  {kind}: {count}")
            lines += [f"    {finding}" for finding in members[:limit]]
            lines += [f"    ... and {count - limit} more"] * (count > limit)
        return "\n".join(lines)
