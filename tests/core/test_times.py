"""Wall-clock times through every clock change of every zone: hours that are missing or doubled, rules that change."""

from __future__ import annotations

import struct
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regie.accounts.models import Account
from regie.core import times
from regie.core.times import UnknownZone, WallTime, zones
from regie.people.models import Member
from regie.planner import recurring, rules
from regie.planner.recurring import Pattern
from regie.publishing import services
from regie.publishing.models import Delivery
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Clock

YEARS = range(2026, 2038)
ZONES = sorted(zones())


@cache
def changes_of(zone: str) -> tuple[datetime, ...]:
    """The moments (UTC, to the minute) at which the zone's clocks jump, in YEARS."""
    info, found = ZoneInfo(zone), []
    moment, end = datetime(YEARS.start, 1, 1, tzinfo=UTC), datetime(YEARS.stop, 1, 1, tzinfo=UTC)
    while moment < end:
        following = moment + timedelta(days=7)
        if moment.astimezone(info).utcoffset() != following.astimezone(info).utcoffset():
            found.append(_between(info, moment, following))
        moment = following
    return tuple(found)


def _between(info: ZoneInfo, before: datetime, after: datetime) -> datetime:
    offset = before.astimezone(info).utcoffset()
    while after - before > timedelta(minutes=1):
        middle = (before + (after - before) / 2).replace(second=0, microsecond=0)
        middle = max(middle, before + timedelta(minutes=1))
        if middle.astimezone(info).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


@cache
def changing() -> tuple[tuple[str, datetime], ...]:
    return tuple((zone, moment) for zone in ZONES for moment in changes_of(zone))


def meant(local: datetime, zone: str) -> list[datetime]:
    """Every moment at which the zone's clocks show ``local``, found by trying all offsets there are."""
    info = ZoneInfo(zone)
    moments = (local.replace(tzinfo=UTC) - timedelta(minutes=offset) for offset in range(-16 * 60, 16 * 60 + 1))
    return sorted(moment for moment in moments if moment.astimezone(info).replace(tzinfo=None) == local)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_every_wall_time_near_a_clock_change_means_what_the_rule_says(data: st.DataObject) -> None:
    zone, change = data.draw(st.sampled_from(changing()))
    around = data.draw(st.integers(-180, 180))
    info = ZoneInfo(zone)
    local = (change + timedelta(minutes=around)).astimezone(info).replace(tzinfo=None)
    shift = data.draw(st.integers(-150, 150))
    wall = WallTime(local + timedelta(minutes=shift), zone)
    moments = meant(wall.local, zone)
    if moments:
        assert wall.utc == moments[0]  # of a doubled hour the first
        assert not wall.is_missing
        assert wall.is_doubled == (len(moments) > 1)
    else:
        assert wall.is_missing
        assert not wall.is_doubled
        shown = wall.utc.astimezone(info).replace(tzinfo=None)
        gap = _gap_at(zone, wall.utc)
        assert shown == wall.local + gap  # moved forward by the gap
        assert gap > timedelta(0)


def _gap_at(zone: str, moment: datetime) -> timedelta:
    """By how much clocks jumped in the day before ``moment``."""
    info = ZoneInfo(zone)
    before, after = ((moment + timedelta(days=days)).astimezone(info).utcoffset() or timedelta() for days in (-1, 0))
    return after - before


@pytest.mark.parametrize("zone", ZONES)
def test_no_zone_loses_or_swaps_moments_at_its_changes(zone: str) -> None:
    """In steps of five minutes over each change (a few per zone): wall times in order are moments in order, but for
    the doubled hour, and a moment's own wall time means that moment or the first of two."""
    info = ZoneInfo(zone)
    for change in changes_of(zone)[:4]:
        for step in range(-36, 37):
            moment = change + timedelta(minutes=5 * step)
            wall = WallTime.at(moment, zone)
            assert wall.utc <= moment
            assert wall.utc == moment or wall.is_doubled
            assert wall.utc.astimezone(info).replace(tzinfo=None) == wall.local


@settings(max_examples=200, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    local=st.datetimes(datetime(2026, 1, 1), datetime(2037, 12, 31)),  # noqa: DTZ001 - a wall time has no zone
)
def test_any_wall_time_of_any_zone_is_a_moment_within_a_day(zone: str, local: datetime) -> None:
    moment = WallTime(local, zone).utc
    assert abs(moment - local.replace(tzinfo=UTC)) <= timedelta(hours=26)


def test_a_wall_time_has_a_known_zone_and_none_of_its_own() -> None:
    with pytest.raises(UnknownZone):
        WallTime(datetime(2030, 1, 1), "Mars/Base")  # noqa: DTZ001
    with pytest.raises(ValueError, match="no zone of its own"):
        WallTime(datetime(2030, 1, 1, tzinfo=UTC), "Europe/Paris")


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    first=st.dates(date(2026, 1, 1), date(2036, 1, 1)),
    at=st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
    choice=st.sampled_from(["daily", "weekdays", "weekly", "fortnightly", "monthly", "monthly-day"]),
)
def test_what_comes_again_keeps_its_hour_on_the_wall_and_its_order(
    zone: str, first: date, at: time, choice: str
) -> None:
    rule = rules.chosen(choice, first)
    pattern = Pattern(rule=rule, first_on=first, local_time=at, zone=zone)
    days = rules.dates(rule, first, since=first, to=first + timedelta(days=400))
    assert days == sorted(set(days))
    moments = [pattern.at(day).utc for day in days]
    assert moments == sorted(set(moments))
    for day in days:
        wall = pattern.at(day)
        shown = wall.utc.astimezone(ZoneInfo(zone))
        assert wall.is_missing or (shown.date(), shown.time()) == (day, at)


# A rule that a government changes between planning and sending


def compiled(offsets: list[tuple[datetime, timedelta]], first: timedelta) -> bytes:
    """A zone as the TZif format has it (RFC 8536, version 2): ``first``, and from each moment on another offset."""
    kinds = [first, *(offset for _moment, offset in offsets)]
    header = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, len(offsets), len(kinds), 4)
    types = b"".join(struct.pack(">lbb", int(kind.total_seconds()), 0, 0) for kind in kinds)

    def body(format_: str) -> bytes:
        moments = b"".join(struct.pack(format_, int(moment.timestamp())) for moment, _offset in offsets)
        return moments + bytes(range(1, len(offsets) + 1)) + types + b"XXX\0"

    hours = int(kinds[-1].total_seconds() // 3600)
    footer = f"\n<{hours:+03d}>{-hours}\n".encode()
    return header + body(">l") + header + body(">q") + footer


@pytest.fixture
def laws(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Puts a zone of our own in force: ``laws("Test/Island", first, [(moment, offset)])``."""
    before = zoneinfo.TZPATH

    def enact(zone: str, first: timedelta, offsets: list[tuple[datetime, timedelta]]) -> None:
        place = tmp_path / zone
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(compiled(offsets, first))
        zoneinfo.reset_tzpath([str(tmp_path), *before])
        ZoneInfo.clear_cache()
        times.zones.cache_clear()

    yield enact
    zoneinfo.reset_tzpath(before)
    ZoneInfo.clear_cache()
    times.zones.cache_clear()


HOUR = timedelta(hours=1)
ISLAND = "Test/Island"
SPRING = datetime(2030, 3, 10, 1, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_a_zone_rule_that_changes_after_planning_moves_the_moment_and_keeps_the_wall_time(
    laws: Callable[..., None],
    clock: Clock,
    make_account: Callable[..., Account],
    write_post: Callable[..., Post],
    bob: Member,
) -> None:
    laws(ISLAND, HOUR, [(SPRING, 2 * HOUR)])
    account = make_account()
    before, after = (
        services.schedule(post=write_post(text, on=[account]), at=WallTime(datetime.fromisoformat(at), ISLAND), by=bob)[
            0
        ]
        for text, at in (("Before", "2030-03-09T09:00"), ("After", "2030-03-15T09:00"))
    )
    assert after.due_at == datetime(2030, 3, 15, 7, 0, tzinfo=UTC)

    laws(ISLAND, HOUR, [])  # parliament gives summer time up
    assert services.recompute_due_times() == 1
    before.refresh_from_db()
    after.refresh_from_db()
    assert before.due_at == datetime(2030, 3, 9, 8, 0, tzinfo=UTC)
    assert (after.due_at, after.next_at) == (datetime(2030, 3, 15, 8, 0, tzinfo=UTC),) * 2
    assert f"{after.local_at:%H:%M}" == "09:00"
    assert services.recompute_due_times() == 0


@pytest.mark.django_db
def test_what_comes_again_follows_the_new_rule_on_its_further_dates(
    laws: Callable[..., None],
    clock: Clock,
    make_account: Callable[..., Account],
    write_post: Callable[..., Post],
    bob: Member,
) -> None:
    laws(ISLAND, HOUR, [(SPRING, 2 * HOUR)])
    pattern = Pattern(rule="FREQ=WEEKLY;BYDAY=MO", first_on=date(2030, 3, 4), local_time=time(9), zone=ISLAND)
    recurring.begin(post=write_post("Again", on=[make_account()]), pattern=pattern, by=bob)
    laws(ISLAND, HOUR, [])
    assert services.recompute_due_times() == Delivery.objects.filter(due_at__gt=SPRING).count()
    clock.advance(days=14)
    recurring.extend()
    assert {row.due_at.hour for row in Delivery.objects.all()} == {8}
