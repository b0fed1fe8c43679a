"""How a post comes again, as a person says it. Every field may stay empty: then it does not."""

from __future__ import annotations

from datetime import date, time
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from regie.core.errors import Problem
from regie.core.times import WallTime, zones
from regie.people import lateness
from regie.planner import rules
from regie.planner.models import Recurrence
from regie.planner.recurring import MOST_COUNT, Pattern, pattern_of

ENDS = (
    ("", gettext_lazy("Never")),
    ("on", gettext_lazy("On a date")),
    ("after", gettext_lazy("After a number of times")),
)


class RepeatForm(forms.Form):
    """Beside date and time in the composer."""

    repeat = forms.ChoiceField(label=gettext_lazy("Repeat"), choices=rules.CHOICES, required=False)
    weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("On these days"),
        help_text=gettext_lazy("For every week or two. None: the day of the date above."),
        choices=[(code, WEEKDAYS_ABBR[number]) for number, code in enumerate(rules.DAYS)],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    ends = forms.ChoiceField(label=gettext_lazy("Ends"), choices=ENDS, required=False)
    until = forms.DateField(
        label=gettext_lazy("Last date"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    count = forms.IntegerField(label=gettext_lazy("Number of times"), required=False, min_value=1, max_value=MOST_COUNT)

    def pattern(self, at: WallTime, *, late_minutes: int) -> Pattern:
        """What was chosen, from a first date and time. Raises Problem."""
        given = self.said()
        rule = rules.chosen(given["repeat"], at.local.date(), given["weekdays"])
        return Pattern(
            rule=rule,
            first_on=at.local.date(),
            local_time=at.local.time(),
            zone=at.zone,
            late_minutes=late_minutes,
            **self.end(),
        )

    def said(self) -> dict[str, Any]:
        if not self.is_valid():
            raise Problem(" ".join(str(said) for errors in self.errors.values() for said in errors))
        return self.cleaned_data

    def end(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given["ends"] == "on" and given["until"] is None:
            raise Problem(_("Choose the last date, or let it never end."))
        if given["ends"] == "after" and given["count"] is None:
            raise Problem(_("Say how many times it comes, or let it never end."))
        return {
            "until": given["until"] if given["ends"] == "on" else None,
            "count": given["count"] if given["ends"] == "after" else None,
        }


class ChangeForm(RepeatForm):
    """A rule that exists: its time too, and whether all of it changes or the dates from one on."""

    repeat = forms.ChoiceField(label=gettext_lazy("Repeat"), required=False)
    time = forms.TimeField(label=gettext_lazy("Time"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    zone = forms.CharField(label=gettext_lazy("Time zone"), max_length=64)
    late = forms.TypedChoiceField(label=gettext_lazy("Goes out by itself up to"), coerce=int)
    since = forms.DateField(
        label=gettext_lazy("From this date on"),
        help_text=gettext_lazy("Empty: all dates that have not begun."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, data: Any, *, row: Recurrence, since: date | None = None) -> None:
        choice, days = rules.choice_of(row.rule, row.first_on)
        super().__init__(
            data,
            initial={
                "repeat": choice,
                "weekdays": days,
                "ends": "on" if row.until else "after" if row.count else "",
                "until": row.until,
                "count": row.count,
                "time": row.local_time,
                "zone": row.zone,
                "late": row.late_minutes,
                "since": since,
            },
        )
        self.row = row
        kept = [] if choice else [("", rules.in_words(row.rule, row.first_on))]
        self.fields["repeat"].choices = [*kept, *rules.CHOICES[1:]]  # type: ignore[attr-defined]
        self.fields["late"].choices = lateness.choices(row.late_minutes)  # type: ignore[attr-defined]

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"]
        if zone not in zones():
            raise forms.ValidationError(_("This is not a time zone we know. Examples: Europe/Paris, America/Montreal."))
        return zone

    def changed(self) -> Pattern:
        """The rule as it is to be. Its dates go on from the same beginning, unless the days themselves change."""
        given, before = self.said(), pattern_of(self.row)
        at: time = given["time"]
        rule = rules.chosen(given["repeat"], before.first_on, given["weekdays"]) if given["repeat"] else before.rule
        return Pattern(
            rule=rule,
            first_on=before.first_on,
            local_time=at.replace(second=0),
            zone=given["zone"],
            late_minutes=given["late"],
            **self.end(),
        )
