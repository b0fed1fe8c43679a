"""What publishing has to say in the composer of a chosen time: how many posts a network still takes that day, and
where what is planned shows a little later than that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from regie.accounts.models import Account
from regie.core import clock
from regie.core.times import WallTime
from regie.publishing.queries import shows_after
from regie.publishing.room import Room, room_at
from regie.studio.checks import span
from regie.studio.desk import Desk
from regie.studio.signals import time_chosen

MOST = 8  # sentences; the accounts with no room first


def register() -> None:
    time_chosen.connect(say, dispatch_uid="publishing.remarks")


def say(sender: type[Desk], desk: Desk, at: WallTime | None, **_more: Any) -> list[tuple[str, str]]:
    """The accounts where the post has to wait, those whose day is nearly full or small, those where it shows later."""
    rooms = list(_rooms(desk, at))
    zone = at.zone if at is not None else desk.workspace.zone
    full = [("warn", _full(room, zone)) for room in rooms if not room.fits]
    short = [("info", left_in_words(room, now=at is None)) for room in rooms if room.fits and room.is_short]
    return [*full, *short, *_later(desk)][:MOST]


def _later(desk: Desk) -> Iterator[tuple[str, str]]:
    """Networks that take files only at the hour: there a post with files shows as much later as its upload takes."""
    for row in desk.rows:
        if not row.given.by_hand and not row.can.ahead and row.content.file_ids:
            yield "info", _shows_later(row.account, shows_after(row.account))


def _shows_later(account: Account, delay: timedelta | None) -> str:
    if delay is None:
        said = _("{account} takes files only at the hour: there it shows when they are uploaded.")
        return said.format(account=account.in_full)
    said = _("{account} takes files only at the hour: there it shows about {time} after.")
    return said.format(account=account.in_full, time=span(max(delay, timedelta(seconds=1))))


def _rooms(desk: Desk, at: WallTime | None) -> Iterator[Room]:
    moment = at.utc if at is not None else clock.now()
    for row in desk.rows:
        if not row.given.by_hand:
            room = room_at(row.account, moment, posts=len(row.content.parts))
            if room is not None:
                yield room


def _full(room: Room, zone: str) -> str:
    local = room.free_at.astimezone(ZoneInfo(zone))
    return _("{account} takes {most} posts a day, and all are taken then: there it goes out {when}.").format(
        account=room.account.in_full, most=room.most, when=date_format(local, "l j F, H:i")
    )


def left_in_words(room: Room, *, now: bool) -> str:
    said = (
        _("{account}: {left} of {most} posts left today.")
        if now
        else _("{account}: {left} of {most} posts left that day.")
    )
    return said.format(account=room.account.in_full, left=room.left, most=room.most)
