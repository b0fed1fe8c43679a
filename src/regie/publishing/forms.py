"""The forms on the pages of a delivery."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from regie.core.times import WallTime, zones


class MoveForm(forms.Form):
    """A new date and time on the clocks of a zone."""

    date = forms.DateField(label=_("Date"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    time = forms.TimeField(label=_("Time"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    zone = forms.CharField(label=_("Time zone"), max_length=64)

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"]
        if zone not in zones():
            raise forms.ValidationError(_("This is not a time zone we know. Examples: Europe/Paris, America/Montreal."))
        return zone

    def wall_time(self) -> WallTime:
        """What was chosen; only after ``is_valid``."""
        given: dict[str, Any] = self.cleaned_data
        return WallTime(datetime.combine(given["date"], given["time"]).replace(second=0), given["zone"])


class AgainForm(MoveForm):
    """A time from which several are planned again, and how far they are from each other."""

    apart = forms.IntegerField(label=_("Minutes between them"), min_value=0, max_value=1440, initial=15)
