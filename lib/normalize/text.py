"""Texts: HTML to plain text or safe HTML, texts in parts, cells that no spreadsheet runs, names for files."""

import hashlib
import html
import re
import unicodedata
from typing import Final

import nh3

_KNOWN: Final = (
    "a|abbr|address|article|aside|audio|b|base|big|blockquote|body|br|button|canvas|center|cite|code|col|colgroup|dd|"
    "del|details|div|dl|dt|em|embed|fieldset|figcaption|figure|font|footer|form|frame|frameset|h[1-6]|head|header|hr|"
    "html|i|iframe|img|input|ins|label|legend|li|link|main|math|meta|nav|noscript|object|ol|option|p|param|pre|q|s|"
    "samp|script|section|select|small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template|"
    "textarea|tfoot|th|thead|title|tr|tt|u|ul|var|video|wbr"
)
_STRAY: Final = re.compile(rf"<(?!/?(?:{_KNOWN})(?:[\s/>]|$)|!--|!doctype)", re.IGNORECASE)
_BREAKS: Final = re.compile(
    r"<br\b[^>]*>|</?(?:p|div|h[1-6]|table|tr|ul|ol|blockquote|section|article|header|footer|hr|dl|dd|dt)\b[^>]*>",
    re.IGNORECASE,
)
_WHOLE: Final = re.compile(
    r"<(p|div|h[1-6]|ul|ol|table|blockquote|span|section|article)(?=[\s>]).*(</[a-z][a-z0-9]*\s*>|<br\s*/?>)",
    re.IGNORECASE | re.DOTALL,
)
_ADDRESS: Final = r"""\s*=\s*("[^"]*"|'[^']*'|[^\s>"']+)"""
_LINK: Final = re.compile(rf"<a\b[^>]*?\bhref{_ADDRESS}[^>]*>(.*?)</a\s*>", re.IGNORECASE | re.DOTALL)
_IMAGE: Final = re.compile(rf"<img\b[^>]*?\bsrc{_ADDRESS}[^>]*>", re.IGNORECASE)
_RUNS: Final = ("javascript:", "vbscript:", "data:")
_TAG: Final = re.compile(rf"</?(?:{_KNOWN})(?:[\s/>]|$)", re.IGNORECASE)
_FORMULA: Final = re.compile("[=+\\-@\t\r\x00＝＋－＠−]")
_INNER: Final = re.compile("((?:;|(?<=[^\\0])[\t\r\n])\\s*)('*[=+\\-@＝＋－＠−])")
_INNER_GUARDED: Final = re.compile("((?:;|(?<=[^\\0])[\t\r\n])\\s*)'('*[=+\\-@＝＋－＠−])")
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:e[+-]?\d+)?%?", re.IGNORECASE)
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d|com[¹²³]|lpt[¹²³])(?:\..*)?", re.IGNORECASE)
_LONGEST_NAME: Final = 150  # characters of a file name
_LONGEST_BYTES: Final = 240  # bytes of a file name in UTF-8; most file systems stop at 255


def text_safe(text: str | None) -> str:
    """Return the text with ``\\n`` line ends and no control characters but ``\\n`` and tab, no lone surrogates."""
    text = (text or "").replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def plain_text(text: str | None) -> str:
    """Return HTML as plain text: blocks on lines of their own, "- " before list items, links as ``text (url)``.

    Pictures become ``(image: url)``. A ``<`` that opens no HTML tag (``a<b``, ``<me@example.com>``) is text and stays.
    """
    marked = _IMAGE.sub(_image_text, _LINK.sub(_link_text, _prepared(text)))
    marked = re.sub(r"<li\b[^>]*>", "\n- ", _BREAKS.sub("\n", marked), flags=re.IGNORECASE)
    plain = html.unescape(nh3.clean(marked, tags=set(), clean_content_tags={"script", "style"}))
    return _tidy(text_safe(plain.replace("\xa0", " ")))


def is_html(text: str | None) -> bool:
    """Return whether the whole text is a piece of HTML: it begins with a block, ends with a tag, and says something.

    A tag in the middle of a text (``use <div> here``), and one pair around it that is no paragraph, are text.
    """
    text = (text or "").strip()
    first = _WHOLE.fullmatch(text)
    if first is None or not plain_text(text):
        return False
    return first.group(1).lower() not in ("div", "span") or len(_TAG.findall(text)) > 2


def split_text(text: str, limit: int) -> list[str]:
    """Return the text in parts of at most `limit` characters that join to the same text again.

    Cut after a blank line, else a line, a sentence or a word in the second half of a part, else anywhere but
    before a combining mark. One part, also of an empty text, when it fits. ValueError when `limit` is below 1.
    """
    if limit < 1:
        raise ValueError("limit must be at least 1")
    parts = []
    while len(text) > limit:
        cut = _cut(text, limit)
        parts.append(text[:cut])
        text = text[cut:]
    return [*parts, text]


def csv_safe(cell: object) -> str:
    """Return the cell with an apostrophe before what a spreadsheet would run; numbers stay. None is "".

    A spreadsheet of another country parts cells at semicolons, so a formula may begin behind one, or in a new line.
    """
    text = "" if cell is None else str(cell)
    start = _skip_blank(text)
    return _guarded(text[: len(text) - len(start)] + _INNER.sub(r"\1'\2", start))


def _guarded(text: str) -> str:
    if text.startswith("'") and _guarded(text[1:]) != text[1:]:
        return "'" + text  # it begins like one of ours: a second apostrophe keeps the two apart
    start = _skip_blank(text)
    if not start or not (_FORMULA.match(start) or text[0] in "\t\r\x00") or _is_number(text):
        return text
    return "'" + text


def csv_plain(cell: str) -> str:
    """Take away the apostrophes that `csv_safe` put into a cell."""
    text = cell[1:] if cell.startswith("'") and _guarded(cell[1:]) == cell else cell
    start = _skip_blank(text)
    return text[: len(text) - len(start)] + _INNER_GUARDED.sub(r"\1\2", start)


def file_name(name: str | None, ext: str | None = None, *, lever_id: str) -> str:
    """Return a file name that is safe on every system, at most 150 characters, and differs for every `lever_id`.

    Folders, control and direction marks and reserved characters go; ten characters made from the id are added
    before the extension, which is `ext` (with or without a dot) or the name's own.
    """
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", text_safe(name)))[-1]
    base = "".join("_" if c in '<>:"|?*\n\t' else c for c in base if unicodedata.category(c) not in ("Cf", "Cc"))
    base = " ".join(base.split()).strip(". ")
    stem, suffix = _split_suffix(base, ext)
    if not stem or _RESERVED.fullmatch(stem):
        stem = f"file {stem}".strip()
    tail = f" {hashlib.sha256(lever_id.encode('utf-8', 'replace')).hexdigest()[:10]}{suffix}"
    stem = stem[: _LONGEST_NAME - len(tail)]
    while len((stem + tail).encode()) > _LONGEST_BYTES:
        stem = stem[:-1]
    return stem.rstrip(". ") + tail


def _prepared(text: str | None) -> str:
    return _STRAY.sub("&lt;", text_safe(text))


def _link_text(link: re.Match[str]) -> str:
    url, label = _unquoted(link.group(1)), link.group(2)
    if not url or url.lower().startswith(_RUNS) or url.removeprefix("mailto:") in label:
        return label
    return f"{label} ({url.replace('<', '%3C')})"


def _image_text(image: re.Match[str]) -> str:
    url = _unquoted(image.group(1))
    return f" (image: {url.replace('<', '%3C')}) " if url and not url.lower().startswith(_RUNS) else " (image) "


def _unquoted(text: str) -> str:
    return (text[1:-1] if text[:1] in ("'", '"') else text).strip()


def _tidy(text: str) -> str:
    lines = [line.strip() if "\t" not in line else line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _cut(text: str, limit: int) -> int:
    for mark in ("\n\n", "\n", ". ", " "):
        place = text.rfind(mark, limit // 2, limit)
        if place > 0:
            return place + len(mark)
    cut = limit
    while cut > max(1, limit - 20) and (
        unicodedata.category(text[cut])[0] == "M" or "\u200d" in text[cut - 1 : cut + 1]
    ):
        cut -= 1
    return cut


def _skip_blank(text: str) -> str:
    for place, character in enumerate(text):
        if character not in "\n\v\f\x85" and unicodedata.category(character) not in ("Zs", "Zl", "Zp", "Cf"):
            return text[place:]
    return ""


def _is_number(text: str) -> bool:
    text = text.strip(" ")
    return any(c.isdigit() for c in text) and text.isascii() and _NUMBER.fullmatch(text) is not None


def _split_suffix(base: str, ext: str | None) -> tuple[str, str]:
    wanted = re.sub(r"[^0-9a-z]", "", (ext or "").casefold())[:10]
    stem, dot, own = base.rpartition(".")
    own_plain = bool(dot) and own.isascii() and own.isalnum() and len(own) <= 10
    if own_plain and wanted in ("", own.lower()):
        return stem.rstrip(". "), f".{own}"
    return base, f".{wanted}" if wanted else ""
