"""One delivery as the calendar draws it, in code: a month draws hundreds, and a template took four fifths of its time.

What many of them share (marks of networks, states, words) is drawn once for a page.
"""

from __future__ import annotations

from collections.abc import Collection

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from regie.planner.queries import ELSEWHERE, Entry

MARK = 0  # stands for a delivery's number in the address that is asked for once


class Pen:
    """Draws the entries of one page. ``may_move``: workspaces; ``named``: show each entry's workspace; ``moved``: the
    entry that was just moved gets the focus."""

    def __init__(self, *, may_move: Collection[int], named: bool, moved: int | None) -> None:
        self.may_move, self.named, self.moved = may_move, named, moved
        self._before, _number, self._after = reverse("publishing:delivery", args=[MARK]).rpartition(str(MARK))
        self._pieces: dict[tuple[str, str], SafeString] = {}
        self._movable, self._focus = SafeString(' draggable="true" data-movable'), SafeString(" data-focus")
        self._move, self._empty = _("Move %(account)s, %(time)s"), _("Without text")

    def draw(self, entry: Entry) -> SafeString:
        if entry.state == ELSEWHERE:
            return self._draw_elsewhere(entry)
        movable = entry.movable and entry.workspace_id in self.may_move
        time = f"{entry.at:%H:%M}"
        return format_html(
            '<li class="entry{gone}" data-entry="{pk}" data-at="{at}"{drag}>'
            '<a class="entry-link" href="{url}"{focus}>'
            '<span class="entry-top"><time datetime="{iso}">{time}</time>{mark}'
            '<span class="entry-account">{account}</span>{repeats}{state}</span> '
            '<span class="entry-text">{text}</span>{workspace}</a>{button}</li>',
            gone=" is-gone" if entry.gone else "",
            pk=entry.pk,
            at=f"{entry.at:%Y-%m-%dT%H:%M}",
            drag=self._movable if movable else "",
            url=f"{self._before}{entry.pk}{self._after}",
            focus=self._focus if self.moved == entry.pk else "",
            iso=entry.at.isoformat(),
            time=time,
            mark=self._piece("network", entry.network),
            account=entry.account,
            repeats=self._piece("repeats", "1") if entry.repeats else "",
            state=self._piece("state", entry.state),
            text=entry.text or self._empty,
            workspace=self._workspace(entry),
            button=self._button(entry, time) if movable else "",
        )

    def _draw_elsewhere(self, entry: Entry) -> SafeString:
        """It leads to its network; without an address there it leads nowhere."""
        return format_html(
            '<li class="entry is-elsewhere{gone}"><{tag} class="entry-link"{link}>'
            '<span class="entry-top"><time datetime="{iso}">{time}</time>{mark}'
            '<span class="entry-account">{account}</span>{state}</span> '
            '<span class="entry-text">{text}</span>{workspace}</{tag}></li>',
            gone=" is-gone" if entry.gone else "",
            tag="a" if entry.url else "span",
            link=format_html(' href="{}" rel="noopener noreferrer" target="_blank"', entry.url) if entry.url else "",
            iso=entry.at.isoformat(),
            time=f"{entry.at:%H:%M}",
            mark=self._piece("network", entry.network),
            account=entry.account,
            state=self._piece("state", entry.state),
            text=entry.text or self._empty,
            workspace=self._workspace(entry),
        )

    def _workspace(self, entry: Entry) -> SafeString | str:
        return format_html(' <span class="entry-workspace">{}</span>', entry.workspace) if self.named else ""

    def _button(self, entry: Entry, time: str) -> SafeString:
        return format_html(
            '<button class="entry-move" type="button" data-move aria-label="{}">{}</button>',
            self._move % {"account": entry.account, "time": time},
            self._piece("grip", "1"),
        )

    def _piece(self, kind: str, value: str) -> SafeString:
        """What the page's own tags draw, once for each value."""
        if (kind, value) not in self._pieces:
            self._pieces[kind, value] = render_to_string("planner/_piece.html", {kind: value})
        return self._pieces[kind, value]
