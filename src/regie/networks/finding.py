"""A first comment whose answer was lost: found, absent, too early to say, or nobody can tell. Design section 6.5."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from regie.networks.data import Outgoing, Published, Seen
from regie.networks.errors import TryLater, Unclear
from regie.networks.likeness import alike, same

CLOCKS_APART = timedelta(minutes=2)  # ours, and the network's


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
