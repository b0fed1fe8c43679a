"""A status's HTML as the plain text that a person typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html.parser import HTMLParser

from regie.networks.mastodon.entities import Mention


class _Typed(HTMLParser):
    """Paragraphs, line breaks, links and mentions back to text. Everything else is only its content."""

    def __init__(self, acct_by_url: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self._acct_by_url = acct_by_url
        self._text: list[str] = []
        self._href: str | None = None
        self._link: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._add("\n")
        elif tag in ("p", "blockquote", "ul", "ol", "pre") and self._text:
            self._text.append("\n\n")
        elif tag == "li":
            self._add("\n- ")
        elif tag == "a":
            self._href, self._link = dict(attrs).get("href") or "", []

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._href is not None:
            self._text.append(self._as_typed("".join(self._link), self._href))
            self._href = None

    def handle_data(self, data: str) -> None:
        self._add(data)

    def _add(self, text: str) -> None:
        (self._text if self._href is None else self._link).append(text)

    def _as_typed(self, shown: str, href: str) -> str:
        if shown.startswith("@"):
            acct = self._acct_by_url.get(href)
            return f"@{acct}" if acct and shown.split("@")[1].lower() == acct.split("@")[0].lower() else shown
        if shown.startswith(("#", "http://", "https://")) and not shown.endswith("…"):
            return shown  # Mastodon hides the ends of a long link, but they are all there
        return href if shown.rstrip("…") in href else shown  # snac shows a link without its scheme, or cut

    def text(self) -> str:
        if self._href is not None:  # a link that was never closed
            self.handle_endtag("a")
        return "".join(self._text).strip()


def plain_text(html: str, mentions: Sequence[Mention] = ()) -> str:
    """Links whole, mentions as ``@name`` (``@name@host`` of a remote account), an empty line between paragraphs."""
    parser = _Typed({mention.url: mention.acct for mention in mentions if mention.url})
    parser.feed(html)
    parser.close()
    return parser.text()
