"""What an address's `?name=value` asks for."""

from collections.abc import Mapping
from dataclasses import dataclass

from posec3d_jax.recognise import STEP, WINDOW
from posec3d_jax.server.requests import Refused


@dataclass(frozen=True)
class Asked:
    """How a video is to be looked at."""

    window: float = WINDOW  # seconds that one label is made of
    step: float = STEP  # seconds from one window to the next
    whole: bool = False  # everybody together instead of person by person
    details: bool = False  # poses and windows as well as events


def read_asked(query: Mapping[str, str]) -> Asked:
    """Of a video's address.

    Raises:
      Refused: a name that there is not, or a value out of range.
    """
    known = ("window", "step", "whole", "details")
    if unknown := set(query) - set(known):
        raise Refused(422, f"unknown: {', '.join(sorted(unknown))[:200]}; known: {known}")
    window = _number(query, "window", WINDOW, 0.2, 30)
    step = _number(query, "step", min(STEP, window), 0.1, 30)
    if step > window:
        raise Refused(422, f"step is {step:g} and window {window:g}: that leaves gaps")
    return Asked(window, step, _flag(query, "whole"), _flag(query, "details"))


def read_size(query: Mapping[str, str]) -> tuple[int, int]:
    """(height, width) of a picture of raw pixels.

    Raises:
      Refused: one is missing or out of range.
    """
    height, width = (int(_number(query, name, 0, 16, 1280)) for name in ("height", "width"))
    return height, width


def _number(query: Mapping[str, str], name: str, usual: float, least: float, most: float) -> float:
    text = query.get(name, "")
    try:
        value = float(text) if text else usual
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise Refused(422, f"{name}={text[:40]!r}; expected a number from {least:g} to {most:g}")
    return value


def _flag(query: Mapping[str, str], name: str) -> bool:
    text = query.get(name, "false")
    if text not in ("true", "false"):
        raise Refused(422, f"{name}={text[:40]!r}; expected true or false")
    return text == "true"
