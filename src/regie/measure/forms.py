"""The period and the accounts that the numbers are shown for, kept in the URL."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class PeriodForm(forms.Form):
    q = forms.CharField(label=_("Account"), required=False, max_length=100, widget=forms.TextInput({"type": "search"}))
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
