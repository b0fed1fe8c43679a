"""Numbers of posts and accounts. Source: docs.joinmastodon.org/entities/Status and Account, API 4.7."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regie.networks.data import Ref, Samples
from regie.networks.errors import Gone, Refused
from regie.networks.mastodon.entities import Account, Status
from regie.networks.mastodon.wire import Wire, parsed, parsed_list

AT_ONCE = 20  # most ids that GET /api/v1/statuses takes (since Mastodon 4.3)


async def post_samples(wire: Wire, refs: Sequence[Ref], *, many_at_once: bool) -> Mapping[str, Samples]:
    ids = [ref.remote_id for ref in refs]
    found: list[Status] = []
    for first in range(0, len(ids), AT_ONCE):
        some = ids[first : first + AT_ONCE]
        found += await (_together(wire, some) if many_at_once else _one_by_one(wire, some))
    return {status.id: samples_of(status) for status in found}


async def _together(wire: Wire, ids: Sequence[str]) -> list[Status]:
    try:
        return parsed_list(await wire.get("/api/v1/statuses", [("id[]", one) for one in ids]), Status)
    except Refused:
        return await _one_by_one(wire, ids)


async def _one_by_one(wire: Wire, ids: Sequence[str]) -> list[Status]:
    found = []
    for one in ids:
        try:
            found.append(parsed(await wire.get(f"/api/v1/statuses/{one}", addressed=True), Status))
        except Gone:
            continue
    return found


def samples_of(status: Status) -> Samples:
    """Counts now. None: this server does not tell (quotes before 4.5), or there is no poll."""
    return {
        "likes": status.favourites_count,
        "shares": status.reblogs_count,
        "replies": status.replies_count,
        "quotes": status.quotes_count,
        "votes": status.poll.votes_count if status.poll else None,
    }


def account_samples_of(account: Account) -> Samples:
    return {
        "followers": account.followers_count,
        "following": account.following_count,
        "posts": account.statuses_count,
    }
