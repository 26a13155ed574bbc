"""What each switch may be set to, on both sides: a typo must never silently mean something else."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.ashby import switches as ashby
from sandbox.lever import switches as lever

_NUMBER = "a number from 0"


def defaults() -> dict[str, str]:
    """Every switch of both sides with its default."""
    return {**lever.SWITCHES, **ashby.SWITCHES}


def told(name: str) -> str:
    """What a switch may be set to, in words."""
    rule = _rule(name)
    if rule == "#":
        return _NUMBER
    if rule == "#?":
        return f"{_NUMBER}, or nothing"
    if rule == "text":
        return "any text"
    if rule.startswith("some of "):
        return f"{rule}, with commas between"
    return f"one of {', '.join(rule.split('|'))}"


def checked(wanted: Mapping[str, str]) -> dict[str, str]:
    """The switches as they were given; ValueError names the unknown ones, or what one of them may be."""
    unknown = sorted(set(wanted) - set(defaults()))
    if unknown:
        raise ValueError(f"unknown switch: {', '.join(unknown)}; there are {', '.join(sorted(defaults()))}")
    for name, value in wanted.items():
        if not _fits(_rule(name), value):
            raise ValueError(f"{name} must be {told(name)}, not {value!r}")
    return dict(wanted)


def read(words: list[str]) -> dict[str, str]:
    """The switches of a command line, each ``name=value``; ValueError as ``checked``."""
    for word in words:
        if "=" not in word:
            raise ValueError(f"a switch is name=value, not {word!r}; there are {', '.join(sorted(defaults()))}")
    return checked({name: value for name, _, value in (word.partition("=") for word in words)})


def _rule(name: str) -> str:
    """``a|b``, ``#`` (a number), ``#?`` (a number or nothing), ``some of a, b`` or ``text``."""
    rules = {**lever.VALUES, **ashby.VALUES}
    return rules.get(name, "#")


def _fits(rule: str, value: str) -> bool:
    if rule == "text":
        return True
    if rule in ("#", "#?"):
        return (value == "" and rule == "#?") or value.replace(".", "", 1).isdecimal()
    if rule.startswith("some of "):
        return set(value.split(",")) <= {"", *rule.removeprefix("some of ").split(", ")}
    return value in rule.split("|")
