"""When a post's numbers are asked for, counted from its publication."""

from __future__ import annotations

from datetime import datetime, timedelta

FIRST_DAY = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)
BEFORE_STORIES_END = timedelta(hours=23)  # after 24 networks tell nothing of a story any more
DAYS, DAILY_UNTIL = timedelta(days=1), timedelta(days=30)
WEEKS, WEEKLY_UNTIL = timedelta(days=7), timedelta(days=365)
ACCOUNT_EVERY = timedelta(hours=6)


def next_after(published_at: datetime, now: datetime, *, stories: bool = False) -> datetime | None:
    """The next moment of a post's timetable after ``now``; None when its year is over.

    stories: the network has posts that end after a day: their last numbers are asked for before.
    """
    age = now - published_at
    first_day = (*FIRST_DAY[:-1], BEFORE_STORIES_END, FIRST_DAY[-1]) if stories else FIRST_DAY
    if (soon := next((one for one in first_day if one > age), None)) is not None:
        return published_at + soon
    if age < DAILY_UNTIL:
        return published_at + DAYS * (age // DAYS + 1)
    due = DAILY_UNTIL + WEEKS * ((age - DAILY_UNTIL) // WEEKS + 1)
    return published_at + due if due <= WEEKLY_UNTIL else None
