"""The bytes of resumes, files and signed offers: plausible, small, and the same on every run."""

from __future__ import annotations

import hashlib
import random
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Spec:
    """What a binary looks like: ``kind`` is pdf, txt, png or empty; ``size`` is roughly its length in bytes.

    ``lines`` stand in a PDF below its title, each on a line of its own, as a parser reads them.
    """

    kind: str
    size: int
    seed: str
    text: str = ""
    lines: tuple[str, ...] = ()


@lru_cache(maxsize=256)
def make(spec: Spec) -> bytes:
    """Return the bytes of one file."""
    if spec.kind == "empty":
        return b""
    rng = random.Random(spec.seed)
    if spec.kind == "png":
        return _png(rng, spec.size)
    if spec.kind == "txt":
        return _txt(rng, spec)
    return _pdf(rng, spec)


@lru_cache(maxsize=100_000)
def about(spec: Spec) -> tuple[str, int]:
    """Return the SHA-256 of the bytes of one file, in hex, and their number."""
    body = make(spec)
    return hashlib.sha256(body).hexdigest(), len(body)


def _txt(rng: random.Random, spec: Spec) -> bytes:
    """A text file that starts with its title and goes on with plain words."""
    words = (
        "built",
        "led",
        "shipped",
        "the",
        "a",
        "team",
        "of",
        "systems",
        "for",
        "customers",
        "robots",
        "and",
        "data",
    )
    lines = [spec.text]
    length = len(spec.text)
    while length < spec.size:
        line = " ".join(rng.choice(words) for _ in range(12))
        lines.append(line)
        length += len(line) + 1
    return "\n".join(lines).encode()


def _png(rng: random.Random, size: int) -> bytes:
    """A grey noise picture; valid, with checksums."""
    side = max(8, int(size**0.5))
    rows = b"".join(b"\x00" + rng.randbytes(side) for _ in range(side))

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def _pdf(rng: random.Random, spec: Spec) -> bytes:
    """A one-page PDF with the title as text and an unused stream that brings it to its size."""
    title = spec.text.encode("ascii", "replace").replace(b"\\", b"").replace(b"(", b"").replace(b")", b"")
    page = b"BT /F1 14 Tf 60 760 Td (" + title[:80] + b") Tj ET"
    lines = "".join(f"{line}\n" for line in spec.lines).encode("ascii", "replace")
    if lines:
        page += b"\nBT /F1 10 Tf 60 730 Td (\n" + lines + b") Tj ET"
    filler = rng.randbytes(max(16, spec.size - 700 - len(lines)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(filler), filler),
    ]
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
