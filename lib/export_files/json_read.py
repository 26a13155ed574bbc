"""JSON as dumps really are: one value, an array, an envelope `{"data": [...]}`, or a value per line; value by value.

Only the value at hand is held, whatever the size of the file. What cannot be read becomes a `Broken` with its line.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from lib import contract
from lib.export_files.csv_read import Broken, encoding_of
from lib.export_files.pages import page_of
from lib.export_files.tree import opened

LONGEST = 64 * 2**20  # characters of one value
CHUNK = 2**16
SPACE = re.compile(r"[\s\x00,]*")
MARKS = re.compile(r'["\\{}\[\]]')
HEAD = re.compile(r'\{((?:\s*"\w+"\s*:\s*(?:"(?:[^"\\]|\\.)*"|true|false|null|-?\d+)\s*,)*)\s*"(\w+)"\s*:\s*\[')
SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|[-+.\w]+')
PAGED = frozenset({"data", "items", "results", "records", "values"})
STREAMED = PAGED | set(contract.lever_objects())
"""Members that hold the objects of a page or of a list: an envelope is read through them and not as one object."""
SAYS_MORE = ("hasNext", "next")
Found = Iterator[tuple[int, str, Any]]
Part = Generator[tuple[int, str, Any], None, bool]
"""What is found in a part of a file; at its end, whether the part came to its end."""


class _Text:
    """A text that is read on as needed: `buffer` from `at` on, and the line on which that stands."""

    def __init__(self, source: io.TextIOWrapper) -> None:
        self._source = source
        self.buffer, self.at, self.line, self.ended = "", 0, 1, False

    def more(self) -> bool:
        """Read on; False at the end."""
        chunk = self._source.read(CHUNK)
        self.buffer, self.at = self.buffer[self.at :] + chunk, 0
        self.ended = not chunk
        return bool(chunk)

    def skip(self, to: int) -> str:
        """What stands before `to`; lines are counted on the way."""
        text = self.buffer[self.at : to]
        self.line += text.count("\n")
        self.at = to
        return text

    def peek(self) -> str:
        """The next sign that is no space, comma or NUL; empty at the end."""
        while True:
            match = SPACE.match(self.buffer, self.at)
            self.skip(match.end() if match else self.at)
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self.more():
                return ""

    def value(self) -> str | None:
        """The text of the next value; None when it does not end."""
        depth, quoted, at = 0, False, self.at
        while True:
            match = MARKS.search(self.buffer, at)
            if match is None:
                gone = len(self.buffer) - self.at
                if gone > LONGEST or not self.more():
                    return None
                at = gone
                continue
            mark, at = match.group(), match.end()
            if mark == "\\":
                if at >= len(self.buffer):
                    gone = at - self.at
                    self.more()
                    at = gone
                at += 1
            elif mark == '"':
                quoted = not quoted
            elif not quoted:
                depth += 1 if mark in "{[" else -1
                if depth <= 0:
                    return self.skip(at)

    def scalar(self) -> str | None:
        """The next string (without its quotes), number or word; None when there is none."""
        while True:
            match = SCALAR.match(self.buffer, self.at)
            if match and (match.end() < len(self.buffer) or self.ended):
                return self.skip(match.end()).strip('"')
            if len(self.buffer) - self.at > LONGEST or not self.more():
                match = SCALAR.match(self.buffer, self.at)
                return self.skip(match.end()).strip('"') if match else None


def values(path: Path, *, whole: bool = False) -> Found:
    """(line, name of its list in an envelope, value) of each object of a file, and a Page at the end of each page.

    A value may be a Broken. With `whole`, an object is never looked into. UnicodeError when it is no text, OSError
    when it cannot be read.
    """
    encoding, guessed = encoding_of(path)
    if guessed:
        yield 1, "", Broken("not UTF-8, and JSON is nothing else")
        return
    if _by_line(path, encoding):
        yield from _lines(path, encoding)
        return
    with opened(path) as raw, io.TextIOWrapper(raw, encoding) as source:
        yield from _whole(_Text(source), entering=not whole)


def _by_line(path: Path, encoding: str) -> bool:
    """Whether each line is a value of its own: the first one is, and something follows it."""
    with opened(path) as raw, io.TextIOWrapper(raw, encoding) as source:
        first = source.readline(LONGEST).strip("\ufeff \t\r\n\0")
        while not first and (line := source.readline(LONGEST)):
            first = line.strip(" \t\r\n\0")
        second = source.readline(CHUNK).strip()
    return first.startswith("{") and first.endswith("}") and bool(second)


def _lines(path: Path, encoding: str) -> Found:
    with opened(path) as raw, io.TextIOWrapper(raw, encoding) as source:
        for number, line in enumerate(iter(lambda: source.readline(LONGEST + 1), ""), 1):
            if len(line) > LONGEST:
                yield number, "", Broken("a line without an end; the rest of the file is not read")
                return
            text = line.strip("\ufeff \t\r\n\0")
            if text:
                yield number, "", _loaded(text)


def _whole(text: _Text, *, entering: bool) -> Found:
    """What a whole text holds: lists or pages, one behind the other, or plain values."""
    if text.peek() == "\ufeff":
        text.skip(text.at + 1)
    while (mark := text.peek()) == "[" or (mark == "{" and entering and _is_envelope(text)):
        text.skip(text.at + 1)
        if not (yield from _array(text, "") if mark == "[" else _members(text)):
            return
    yield from _array(text, "", end="")


def _is_envelope(text: _Text) -> bool:
    """Whether an object is a page, or holds lists by their names: its first list has such a name, and it has no id."""
    while len(text.buffer) - text.at < 4096 and text.more():
        pass
    match = HEAD.match(text.buffer, text.at)
    return match is not None and match.group(2) in STREAMED and '"id"' not in match.group(1)


def _members(text: _Text) -> Part:
    """The values of each list of an envelope, with the name under which the list stands; then the page's end."""
    lists, says = list[str](), dict[str, str]()
    while (mark := text.peek()) == '"':
        line, name = text.line, text.scalar()
        if name is None or text.peek() != ":":
            break
        text.skip(text.at + 1)
        mark = text.peek()
        if mark == "[":
            text.skip(text.at + 1)
            lists.append(name)
            yield from _array(text, name)
        elif mark == "{":
            body = text.value()
            if body is None:
                break
            yield line, name, _loaded(body)
        elif (word := text.scalar()) is None:
            break
        elif name in SAYS_MORE:
            says[name] = word
    if text.peek() != "}":
        yield text.line, "", Broken("an object that does not end; the rest of the file is not read")
        return False
    if lists and (says or PAGED.intersection(lists)):
        yield text.line, lists[-1], page_of(says)
    text.skip(text.at + 1)
    return True


def _array(text: _Text, name: str, *, end: str = "]") -> Part:
    """The values up to `end`."""
    while mark := text.peek():
        line = text.line
        if end and mark == end:
            text.skip(text.at + 1)
            return True
        if mark not in "{[":
            yield line, name, Broken("no JSON object")
            if text.scalar() is None:
                yield line, name, Broken("broken JSON; the rest of the file is not read")
                return False
            continue
        body = text.value()
        if body is None:
            yield line, name, Broken("a JSON value that does not end; the rest of the file is not read")
            return False
        yield line, name, _loaded(body)
    if end:
        yield text.line, name, Broken("the file ends before its list does: it may be cut")
    return not end


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        return Broken("JSON nested too deep")
    except ValueError:
        return Broken("broken JSON")
