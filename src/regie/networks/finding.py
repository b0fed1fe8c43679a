"""A first comment whose answer was lost: found, absent, too early to say, or nobody can tell. Design section 6.5."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from regie.networks.data import Outgoing, Published, Seen
from regie.networks.errors import TryLater, Unclear
from regie.networks.likeness import alike, same

CLOCKS_APART = timedelta(minutes=2)  # ours, and the network's
MOST_PAGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some of the comments under a post, as its network lists them.

    ours:    what the account said, of those on the page
    moments: when each was made, anybody's, in the order of the page; empty where old ones may stand before new ones
    after:   where the next page begins; "" after the last
    now:     the network's clock, when it answered
    """

    ours: tuple[Seen, ...]
    moments: tuple[datetime, ...]
    after: str
    now: datetime | None

    def is_over_at(self, moment: datetime) -> bool:
        """Whether the pages behind it hold only what was made before. An order that is not newest first, as the
        network has it, is not believed: then all pages are read."""
        newest_first = list(self.moments) == sorted(self.moments, reverse=True)
        return newest_first and len(set(self.moments)) > 1 and self.moments[-1] < moment


async def comment_in_pages(
    turn: Callable[[str], Awaitable[Page]], outgoing: Outgoing, *, network: str, shows_within: timedelta
) -> Published | None:
    """``comment_among`` all that is listed since the attempt began. ``turn``: the page that begins there ("": first).

    Raises Unclear where there is more than we look through, and ours is not among it: that is no absence.
    """
    since, ours = since_of(outgoing), list[Seen]()
    now, after, whole = None, "", False
    for _ in range(MOST_PAGES):
        page = await turn(after)
        ours += page.ours
        now, after = now or page.now, page.after
        if whole := not after or page.is_over_at(since):
            break
    found = comment_among(ours, outgoing, network=network, now=now, shows_within=shows_within)
    if found is None and not whole:
        raise Unclear("{network} lists more comments under this post than we can look through.", network=network)
    return found


def since_of(outgoing: Outgoing) -> datetime:
    """No comment that was made before this moment is ours."""
    return outgoing.planned_at - CLOCKS_APART


def comment_among(
    said: Iterable[Seen], outgoing: Outgoing, *, network: str, now: datetime | None, shows_within: timedelta
) -> Published | None:
    """Our comment among ``said``: all that the account said directly under ``outgoing.reply_to`` since ``since_of``.

    now: the network's clock, when it answered; shows_within: by then a comment that was taken is in that list

    Found: the same words, once. None, absent: not there, though it had its time. Raises TryLater before that, and
    Unclear when two are the same, or one may be ours, rewritten: a person looks then.
    """
    recent = {one.remote_id: one for one in said if one.created_at >= since_of(outgoing)}
    ours = [one for one in recent.values() if same(outgoing.text, one.text)]
    if len(ours) > 1:
        raise Unclear("There are two comments like it on {network}.", network=network)
    if ours:
        (one,) = ours
        return Published(remote_id=one.remote_id, url=one.url, at=one.created_at, extra=one.extra)
    shows_by = (outgoing.tried_until or outgoing.planned_at) + shows_within
    if (now or datetime.now(UTC)) < shows_by:
        raise TryLater("{network} may still be publishing it.", network=network, not_before=shows_by)
    if any(alike(outgoing.text, one.text) for one in recent.values()):
        raise Unclear("There is a comment on {network} that may be this one, rewritten.", network=network)
    return None
