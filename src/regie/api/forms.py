"""What a person fills in to make a token."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

LASTS = (("30", _("30 days")), ("90", _("90 days")), ("365", _("One year")), ("", _("Until it is revoked")))


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        help_text=_("Which program will use it, so that you know it again: for example “Website”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    lasts = forms.ChoiceField(label=_("Valid for"), choices=LASTS, required=False, initial="365")
