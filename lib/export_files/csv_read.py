"""CSV as programs really write it: any encoding that can be told, three delimiters, Excel's habits; row by row.

Nothing is held but the row at hand. A row that cannot be read becomes a `Broken` with its line and the reason.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lib.export_files.tree import opened

LONGEST = 64 * 2**20  # characters of one line, and of one cell: more is no export
HEAD = 65_536
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Broken:
    """A row, or the rest of a file, that cannot be read."""

    reason: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written. `guessed`: it is not UTF, and nobody has said what it is."""

    encoding: str
    delimiter: str
    skip: int = 0
    guessed: bool = False


def encoding_of(path: Path, told: str = "") -> tuple[str, bool]:
    """(encoding, whether it is a guess) of a whole file; `told` counts where it is not UTF. UnicodeError: none fits."""
    with opened(path) as file:
        head = file.read(HEAD)
    for mark, name in BOMS:
        if head.startswith(mark):
            return _checked(path, name), False
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(1, len(head) // 2)
    if odd > 0.3 * half and even < 0.1 * half:
        return _checked(path, "utf-16-le"), False
    if even > 0.3 * half and odd < 0.1 * half:
        return _checked(path, "utf-16-be"), False
    try:
        return _checked(path, "utf-8"), False
    except UnicodeError:
        return _checked(path, told or "cp1252"), not told


def _checked(path: Path, encoding: str) -> str:
    decoder = codecs.getincrementaldecoder(encoding)()
    with opened(path) as file:
        while chunk := file.read(HEAD):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    return encoding


def dialect_of(path: Path, told: str = "") -> Dialect:
    """How the file is written, by its marks and its first lines. UnicodeError when it is no text."""
    encoding, guessed = encoding_of(path, told)
    with opened(path) as raw, io.TextIOWrapper(raw, encoding, newline="") as text:
        head = text.read(HEAD)
    first = head.lstrip("\ufeff").split("\n", 1)[0].rstrip("\r")
    if first.lower().startswith("sep=") and len(first) == 5:  # Excel's own way to say it
        return Dialect(encoding, first[4], 1, guessed)
    return Dialect(encoding, max(DELIMITERS, key=lambda one: _outside(head, one)), 0, guessed)


def _outside(head: str, delimiter: str) -> int:
    """How often a delimiter stands in the first record, outside of quotes."""
    count, quoted = 0, False
    for char in head:
        if char == '"':
            quoted = not quoted
        elif char in "\r\n" and not quoted:
            break
        elif char == delimiter and not quoted:
            count += 1
    return count


def records(path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str] | Broken]]:
    """(line where it begins, cells) of each record that is not empty; a broken one is told, and reading goes on."""
    limit = csv.field_size_limit(LONGEST)
    try:
        with opened(path) as raw, io.TextIOWrapper(raw, dialect.encoding, newline="") as text:
            yield from _records(_lines(text, dialect.skip), dialect)
    finally:
        csv.field_size_limit(limit)


class _TooLongError(ValueError):
    """A line without an end."""


def _lines(text: io.TextIOWrapper, skip: int) -> Iterator[str]:
    """Lines with their ends: \\n, \\r\\n, or a lone \\r as old Macs wrote it."""
    first = True
    while line := text.readline(LONGEST + 1):
        if len(line) > LONGEST:
            raise _TooLongError
        if first:
            line, first = line.lstrip("\ufeff"), False
        if skip:
            skip -= 1
            continue
        yield line


def _records(lines: Iterator[str], dialect: Dialect) -> Iterator[tuple[int, list[str] | Broken]]:
    reader = csv.reader(lines, delimiter=dialect.delimiter, strict=True)
    while True:
        line = reader.line_num + 1 + dialect.skip
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _TooLongError:
            yield line, Broken("a line without an end; the rest of the file is not read")
            return
        except csv.Error as error:
            last = reader.line_num + dialect.skip
            upto = f", up to line {last}" if last > line else ""
            yield line, Broken(f"no CSV record ({_plain(error)}{upto})")
            continue
        if any(cells):
            yield line, cells


def _plain(error: csv.Error) -> str:
    """The parser's words without anything of the file in them."""
    text = str(error)
    known = ("unexpected end of data", "expected after", "field larger than", "new-line character")
    meant = ("a quote that never ends", "text after a closing quote", "a cell that is too long", "an odd line end")
    return next((word for key, word in zip(known, meant, strict=True) if key in text), "broken quoting")
