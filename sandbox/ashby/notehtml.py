"""What survives of HTML in a note: ``b i u a ul ol li code pre``, everything else is stripped (vendor contract)."""

from __future__ import annotations

import html
from html.parser import HTMLParser

KEPT = frozenset(("b", "i", "u", "a", "ul", "ol", "li", "code", "pre"))
SILENT = frozenset(("script", "style"))
"""Elements whose text goes with them (guess)."""


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self._silent += 1
        elif tag in KEPT:
            link = next((value for name, value in attrs if tag == "a" and name == "href" and value), None)
            self.parts.append(f'<a href="{html.escape(link)}">' if link else f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in KEPT:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(html.escape(data, quote=False))


def strip_tags(text: str) -> str:
    """Return HTML with only the kept tags, only ``href`` as attribute, and the text of all others."""
    cleaner = _Cleaner()
    cleaner.feed(text)
    cleaner.close()
    return "".join(cleaner.parts)
