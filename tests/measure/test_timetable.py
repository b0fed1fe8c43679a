"""When a post's numbers are asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from regie.measure.timetable import next_after

OUT = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)


def ages(*, stories: bool) -> list[timedelta]:
    """How old a post is each time that it is asked, in its first two days."""
    found, now = [], OUT
    while (due := next_after(OUT, now, stories=stories)) is not None and due - OUT <= timedelta(days=2):
        found.append(due - OUT)
        now = due
    return found


def test_a_post_is_asked_often_on_its_first_day_then_daily() -> None:
    hours = [age / timedelta(hours=1) for age in ages(stories=False)]
    assert hours == [5 / 60, 0.25, 1, 3, 6, 12, 24, 48]


def test_where_there_are_stories_the_last_numbers_come_before_they_end() -> None:
    found = ages(stories=True)
    assert timedelta(hours=23) in found
    assert set(found) - {timedelta(hours=23)} == set(ages(stories=False))
    assert all(earlier < later for earlier, later in pairwise(found))


def test_after_a_year_nothing_is_asked_any_more() -> None:
    assert next_after(OUT, OUT + timedelta(days=364)) is None
    assert next_after(OUT, OUT + timedelta(days=31)) == OUT + timedelta(days=37)
