"""What publishing has to say in the composer of a chosen time: how many posts a network still takes that day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from regie.core import clock
from regie.core.times import WallTime
from regie.publishing.contents import steps_of
from regie.publishing.room import Room, room_at
from regie.studio.desk import Desk
from regie.studio.signals import time_chosen

MOST = 8  # sentences; the accounts with no room first


def register() -> None:
    time_chosen.connect(say, dispatch_uid="publishing.remarks")


def say(sender: type[Desk], desk: Desk, at: WallTime | None, **_more: Any) -> list[tuple[str, str]]:
    """The accounts where the post has to wait, then those whose day is nearly full or small."""
    rooms = list(_rooms(desk, at))
    zone = at.zone if at is not None else desk.workspace.zone
    full = [("warn", _full(room, zone)) for room in rooms if not room.fits]
    short = [("info", left_in_words(room, now=at is None)) for room in rooms if room.fits and room.is_short]
    return [*full, *short][:MOST]


def _rooms(desk: Desk, at: WallTime | None) -> Iterator[Room]:
    moment = at.utc if at is not None else clock.now()
    for row in desk.rows:
        if not row.given.by_hand:
            room = room_at(row.account, moment, posts=len(steps_of(row.content, row.can)))
            if room is not None:
                yield room


def _full(room: Room, zone: str) -> str:
    local = room.free_at.astimezone(ZoneInfo(zone))
    return _("{account} takes {most} posts a day, and all are taken then: there it goes out {when}.").format(
        account=room.account, most=room.most, when=date_format(local, "l j F, H:i")
    )


def left_in_words(room: Room, *, now: bool) -> str:
    said = (
        _("{account}: {left} of {most} posts left today.")
        if now
        else _("{account}: {left} of {most} posts left that day.")
    )
    return said.format(account=room.account, left=room.left, most=room.most)
