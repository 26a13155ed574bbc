"""Two nets against personal data and live markup: by column name before drawing, by shape before sharing."""

from __future__ import annotations

import html
import re
from typing import Final

import nh3

PERSONAL: Final = frozenset({
    "address", "alternate_emails", "answer", "author", "birthday", "body", "comment", "comments", "company",
    "consent_text", "cover_letter", "display_name", "education", "email", "emails", "employer", "file_name",
    "filename", "first_name", "full_name", "github", "github_url", "headline", "kept", "last_name", "linkedin",
    "linkedin_url", "links", "location", "name", "names", "note", "notes", "other_links", "other_phones",
    "others", "phone", "phones", "position", "school", "social", "social_links", "surname", "surnames", "text",
    "twitter", "url", "urls", "username", "value", "website",
})  # fmt: skip
"""Columns that hold what belongs to a person. Their values are hidden whatever they look like."""

UUID: Final = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_KEEP = rf"(?<![\w-])(?:{UUID}|[0-9a-f]{{32,64}}|\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?)?)(?![\w-])"
_EMAIL = r"(?:mailto:)?[\w.+%'’*/=?^{|}~!#$&-]{1,128}\s?[@＠]\s?\w[\w.-]{0,253}\w"
_NAMED = rf"(?:[^\s<>,;:()]{{1,40}} ){{1,4}}<{_EMAIL}>"  # "Given Surname <address>"
_LINK = (
    r"(?:\b[a-zA-Z][a-zA-Z0-9+.-]{1,15}://|\bwww\.)[^\s<>\"]+|\bjavascript:[^\s<>\"]*"
    r"|\b(?:[\w-]{1,63}\.){0,4}(?:linkedin|github|gitlab|twitter|facebook|instagram|medium|xing|behance|dribbble)\.\w+/[^\s<>\"]*"
)
_PHONE = r"(?<![\w.-])\+?\(?\d[\d\s().\-/\u00a0]{5,}\d(?![\w-])"
_ANY = re.compile(f"(?P<keep>{_KEEP})|(?P<link>{_LINK})|(?P<email>{_NAMED}|{_EMAIL})|(?P<phone>{_PHONE})")
_WORDS = {"link": "[link]", "email": "[e-mail]", "phone": "[phone]"}
HIDDEN: Final = "[hidden]"

_TAGS = {
    "a", "b", "blockquote", "br", "caption", "code", "dd", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2",
    "h3", "h4", "hr", "i", "img", "li", "ol", "p", "pre", "section", "small", "span", "strong", "sub", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"class"},
    "img": {"src", "alt"},
    "th": {"scope", "colspan", "rowspan"},
    "td": {"colspan", "rowspan"},
    "code": {"title"},
}
_DROPPED_WITH_CONTENT = {"script", "style", "iframe", "object", "embed", "svg", "math", "template", "noscript", "form"}
_IMAGE = re.compile(r"data:image/(?:png|jpeg|svg\+xml);base64,[A-Za-z0-9+/=\s]*")


def mask_text(text: str) -> str:
    """`text` without e-mail addresses, phone numbers and links; ids, hashes and dates stay."""
    return _ANY.sub(_masked, text)


def _masked(match: re.Match[str]) -> str:
    kind, found = match.lastgroup or "", match.group()
    if kind == "keep":
        return found
    digits = sum(letter.isdigit() for letter in found)
    if kind == "phone" and digits < (7 if found.startswith("+") else 9):
        return found
    return _WORDS[kind]


def safe_html(markup: str, *, masked: bool) -> str:
    """`markup` as inert HTML: known tags and classes, pictures only from inside the file, no address at all.

    With `masked`, each text in it goes through `mask_text` too.
    """

    def keep(_tag: str, name: str, value: str) -> str | None:
        if name == "src":
            return value if _IMAGE.fullmatch(value) else None
        if name == "class":
            return " ".join(one for one in value.split() if one == "wb" or one.startswith("wb-")) or None
        return re.sub(r"[<>]", "", mask_text(value) if masked else value)

    clean = nh3.clean(
        markup,
        tags=_TAGS,
        clean_content_tags=_DROPPED_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=keep,
        url_schemes={"data"},
        link_rel=None,
        strip_comments=True,
    )
    if not masked:
        return clean
    parts = re.split(r"(<[^>]*>)", clean)
    return "".join(part if part.startswith("<") else _mask_escaped(part) for part in parts)


def _mask_escaped(text: str) -> str:
    return html.escape(mask_text(html.unescape(text)), quote=False) if text.strip() else text
