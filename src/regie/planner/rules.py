"""Rules of dates: RRULE (RFC 5545) for whole days, how people choose one, and how it is said in words.

A rule gives dates; the time is a wall-clock time in a zone, so 09:00 stays 09:00 across clock changes, and an hour that
does not exist or comes twice follows the rule of ``core/times.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from dateutil.rrule import rrule, rrulestr
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from regie.core.errors import Problem

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WORKDAYS = "BYDAY=MO,TU,WE,TH,FR"
TAKEN = frozenset(("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"))
FREQUENCIES = frozenset(("DAILY", "WEEKLY", "MONTHLY", "YEARLY"))
LONGEST = 200
OF_MONTHS = frozenset(("BYMONTHDAY", "BYMONTH", "BYSETPOS"))  # only where the rule goes by months or years
MOST_INTERVAL = 1000

CHOICES = (
    ("", gettext_lazy("Does not repeat")),
    ("daily", gettext_lazy("Every day")),
    ("weekdays", gettext_lazy("Every weekday (Monday to Friday)")),
    ("weekly", gettext_lazy("Every week")),
    ("fortnightly", gettext_lazy("Every two weeks")),
    ("monthly", gettext_lazy("Every month, on this day")),
    ("monthly-day", gettext_lazy("Every month, on this weekday")),
)


class NoSuchRule(Problem):
    """Not a rule of dates that we take."""


def checked(text: str) -> str:
    """The rule as it is kept: parts in capitals. Raises NoSuchRule."""
    parts = _parts(text.upper().removeprefix("RRULE:"))
    normal = ";".join(f"{name}={value}" for name, value in parts.items())
    if not parts or len(normal) > LONGEST or len(parts) != len(text.strip(";").split(";")):
        raise _not_understood()
    if set(parts) - TAKEN or parts.get("FREQ") not in FREQUENCIES:
        raise NoSuchRule(
            _("A rule may say {taken}, by the day or longer; its time and its end are given apart.").format(
                taken=", ".join(sorted(TAKEN))
            )
        )
    if set(parts) & OF_MONTHS and parts["FREQ"] not in ("MONTHLY", "YEARLY"):
        raise NoSuchRule(_("Days of the month and months belong to a rule that goes by months or years."))
    interval = parts.get("INTERVAL", "1")
    if not interval.isdecimal() or not 1 <= int(interval) <= MOST_INTERVAL:
        raise NoSuchRule(_("The interval of a rule is 1 or more."))
    try:
        rrulestr(normal, dtstart=_midnight(date(2030, 1, 1)))
    except (ValueError, TypeError, KeyError, IndexError) as exc:
        raise _not_understood() from exc
    return normal


def _not_understood() -> NoSuchRule:
    return NoSuchRule(_("This is not a rule we understand. Example: {example}").format(example="FREQ=WEEKLY;BYDAY=MO"))


def chosen(choice: str, on: date, weekdays: Sequence[str] = ()) -> str:
    """The rule behind a choice of the dialog, for a first date. ``weekdays``: MO..SU, for every week or two."""
    days = [day for day in DAYS if day in weekdays] or [DAYS[on.weekday()]]
    if choice == "daily":
        return "FREQ=DAILY"
    if choice == "weekdays":
        return f"FREQ=WEEKLY;{WORKDAYS}"
    if choice == "weekly":
        return f"FREQ=WEEKLY;BYDAY={','.join(days)}"
    if choice == "fortnightly":
        return f"FREQ=WEEKLY;INTERVAL=2;BYDAY={','.join(days)}"
    if choice == "monthly":
        return _on_day(on.day)
    if choice == "monthly-day":
        number = (on.day - 1) // 7 + 1
        return f"FREQ=MONTHLY;BYDAY={number if number < 5 else -1}{DAYS[on.weekday()]}"
    raise NoSuchRule(_("Choose how often it comes again."))


def _on_day(day: int) -> str:
    """Months without that day take their last one: the 31st is the 30th in April, and no month is skipped."""
    if day <= 28:
        return f"FREQ=MONTHLY;BYMONTHDAY={day}"
    return f"FREQ=MONTHLY;BYMONTHDAY={','.join(str(n) for n in range(28, day + 1))};BYSETPOS=-1"


def choice_of(rule: str, first_on: date) -> tuple[str, list[str]]:
    """Which choice of the dialog a rule is, with its weekdays; ("", []) for one that a program made."""
    parts = _parts(rule)
    days = [day for day in parts.get("BYDAY", "").split(",") if day in DAYS]
    for name, _label in CHOICES[1:]:
        if chosen(name, first_on, days) == rule:
            return name, days if name in ("weekly", "fortnightly") else []
    return "", []


def dates(
    rule: str, first_on: date, *, since: date, to: date, until: date | None = None, count: int | None = None
) -> list[date]:
    """The dates of a rule from ``since`` to ``to``, both included. ``count`` counts from the first date of all, so that
    it means the same whenever it is asked."""
    last = min(to, until) if until is not None else to
    if last < since:
        return []
    made = rrulestr(f"{rule};COUNT={count}" if count else rule, dtstart=_midnight(first_on))
    assert isinstance(made, rrule)
    return [moment.date() for moment in made.between(_midnight(max(since, first_on)), _midnight(last), inc=True)]


def has_dates(rule: str, first_on: date) -> bool:
    """Whether it has any (the 30th of February has none). Asked near the end of time, where a search for none is
    short: the calendar repeats itself every 400 years."""
    near_the_end = first_on.replace(year=9600 + first_on.year % 400, day=min(first_on.day, 28))
    return next(iter(rrulestr(rule, dtstart=_midnight(near_the_end))), None) is not None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())


def in_words(rule: str, first_on: date) -> str:
    """Every Monday and Thursday; every month on the 31st or the last day: as a person would say it."""
    parts = _parts(rule)
    interval = int(parts.get("INTERVAL", "1"))
    days = [WEEKDAYS[DAYS.index(day)] for day in parts.get("BYDAY", "").split(",") if day in DAYS]
    known, _days = choice_of(rule, first_on)
    if known == "daily":
        return _("every day")
    if known == "weekdays":
        return _("every weekday")
    if known in ("weekly", "fortnightly"):
        named = _and([str(day) for day in days])
        if interval == 1:
            return _("every week on {days}").format(days=named)
        return _("every {n} weeks on {days}").format(n=interval, days=named)
    if known == "monthly":
        day = first_on.day
        return (
            _("every month on day {day}").format(day=day)
            if day <= 28
            else _("every month on day {day}, or the last day of a shorter one").format(day=day)
        )
    if known == "monthly-day":
        return _("every month on the {which} {day}").format(which=_which(first_on), day=WEEKDAYS[first_on.weekday()])
    return rule


def end_in_words(until: date | None, count: int | None) -> str:
    if until is not None:
        return _("until {date}").format(date=date_format(until, "j F Y"))
    if count is not None:
        return ngettext("{n} time", "{n} times", count).format(n=count)
    return _("without an end")


def _which(day: date) -> str:
    number = (day.day - 1) // 7 + 1
    return [_("first"), _("second"), _("third"), _("fourth"), _("last")][number - 1]


def _and(words: list[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return _("{some} and {last}").format(some=", ".join(words[:-1]), last=words[-1])


def _parts(rule: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in rule.split(";") if "=" in part)
