"""What a key of a config may be: kinds of values, each with its range, length or choices."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from posec3d_jax.skeletons.skeleton import get_skeleton


class Values(Protocol):
    """A set of values. `words` names it, as in 'expected WORDS'."""

    @property
    def words(self) -> str: ...

    def holds(self, value: Any) -> bool:
        """Whether it is one of them."""


@dataclass(frozen=True)
class Whole:
    """Integers from `least` to `most`."""

    least: int
    most: int

    @property
    def words(self) -> str:
        return f"a whole number from {self.least:,} to {self.most:,}"

    def holds(self, value: Any) -> bool:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return is_number and self.least <= value <= self.most


@dataclass(frozen=True)
class Real:
    """Numbers from `least` to `most`; never NaN."""

    least: float
    most: float

    @property
    def words(self) -> str:
        return f"a number from {self.least:g} to {self.most:g}"

    def holds(self, value: Any) -> bool:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and self.least <= value <= self.most  # which NaN is not, either


@dataclass(frozen=True)
class YesNo:
    """True or False."""

    words: str = "True or False"

    def holds(self, value: Any) -> bool:
        return isinstance(value, bool)


@dataclass(frozen=True)
class OneOf:
    """One of some words."""

    choices: tuple[str, ...]

    @property
    def words(self) -> str:
        *others, last = map(repr, self.choices)
        return f"{', '.join(others)} or {last}"

    def holds(self, value: Any) -> bool:
        return isinstance(value, str) and value in self.choices


@dataclass(frozen=True)
class Text:
    """Any text, as long as it is one line: `words` says what it is used as."""

    words: str = "free text"

    def holds(self, value: Any) -> bool:
        return isinstance(value, str)


@dataclass(frozen=True)
class Several:
    """A tuple of values of one kind."""

    each: Values
    length: int | None = None  # None: any, none at all included
    square: bool = False  # of length 2: one number on the command line stands for both

    @property
    def words(self) -> str:
        one = " (or one for both)" if self.square else ""
        count = "any number" if self.length is None else str(self.length)
        return f"a tuple of {count}{one}, each {self.each.words}"

    def holds(self, value: Any) -> bool:
        return (
            isinstance(value, tuple | list)
            and self.length in (None, len(value))
            and all(self.each.holds(item) for item in value)
        )


@dataclass(frozen=True)
class Span:
    """Two numbers, the lesser first."""

    each: Real

    @property
    def words(self) -> str:
        return f"a tuple of 2, the lesser first, each {self.each.words}"

    def holds(self, value: Any) -> bool:
        return Several(self.each, 2).holds(value) and value[0] <= value[1]


@dataclass(frozen=True)
class Checked:
    """What a function takes without ValueError, TypeError or KeyError."""

    words: str
    check: Callable[[Any], Any]

    def holds(self, value: Any) -> bool:
        try:
            self.check(value)
        except (ValueError, TypeError, KeyError):
            return False
        return True


def layout(none: bool = False) -> Checked:
    """A joint layout: the name of one, or the declaration of one's own; '' where `none`."""
    words = "a layout's name (posec3d_jax/skeletons/layouts.py), or what declare_skeleton assigns"
    words = f"'', {words}" if none else words
    return Checked(words, lambda value: (none and value == "") or get_skeleton(_plain(value)))


def options() -> Checked:
    """Keyword arguments."""
    return Checked("a dict of options", lambda value: dict(value.items()) if value else {})


def groups() -> Checked:
    """Classes that each join some: ((name, (member, ...)), ...)."""
    return Checked(
        "((name, (class, ...)), ...), each class a name or, where they have none, a number", _pairs
    )


def _pairs(value: Any) -> None:
    """ValueError for what is no tuple of names with their members."""
    for name, members in value:
        if not isinstance(name, str) or not isinstance(members, tuple | list):
            raise ValueError(name)
        for member in members:
            if isinstance(member, bool) or not isinstance(member, str | int):
                raise ValueError(member)


def _plain(value: Any) -> Any:
    return value.to_dict() if hasattr(value, "to_dict") else value


def as_tuples(value: Any) -> Any:
    """Lists, as JSON has them, as the tuples that configs have."""
    if isinstance(value, list | tuple):
        return tuple(as_tuples(item) for item in value)
    return value
