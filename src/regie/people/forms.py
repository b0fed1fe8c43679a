"""What people type about themselves and each other."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from regie.config.first_start import same_code
from regie.core.times import zones
from regie.people import lateness
from regie.people.models import User
from regie.people.permissions import Role


def zone_choices() -> list[tuple[str, str]]:
    """Every zone with a city's name, readable."""
    return [(zone, zone.replace("_", " ")) for zone in sorted(zones()) if "/" in zone or zone == "UTC"]


class ZoneField(forms.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(label=_("Time zone"), choices=zone_choices, **kwargs)


class LanguageField(forms.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(label=_("Language"), choices=settings.LANGUAGES, **kwargs)


class PasswordField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=_("Password"),
            min_length=10,
            max_length=200,
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
            help_text=_("At least 10 characters. A few words in a row are easy to keep in mind."),
            **kwargs,
        )


class WelcomeForm(forms.Form):
    """The first start: who you are, and your first client."""

    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = PasswordField()
    workspace = forms.CharField(
        label=_("Your first client"), max_length=120, help_text=_("A brand, a shop, yourself. You can add more later.")
    )
    zone = ZoneField(initial="UTC")
    language = LanguageField()
    code = forms.CharField(
        label=_("Setup code"),
        max_length=40,
        help_text=_("Régie printed it on its console when it started."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.SETUP_CODE:  # only this machine can come here
            del self.fields["code"]

    def clean(self) -> dict[str, Any]:
        """Keeps the code to itself: what is left says who the owner is."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        code = cleaned.pop("code", None)
        if code is not None and not same_code(code, settings.SETUP_CODE):
            self.add_error("code", _("This is not the code that Régie printed. Look at its console, then try again."))
        return cleaned


class JoinForm(forms.Form):
    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = PasswordField()


class WorkspaceForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    zone = ZoneField()
    language = LanguageField(help_text=_("For what Régie writes to people of this client who have no account yet."))
    late_minutes = forms.TypedChoiceField(
        label=_("A post goes out by itself up to"),
        help_text=_("Later than that, Régie asks you first. Each post can say otherwise."),
        coerce=int,
        choices=lateness.choices,
        initial=60,
        required=False,
        empty_value=None,
    )


class InviteForm(forms.Form):
    email = forms.EmailField(label=_("E-mail"))
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.EDITOR)

    def __init__(self, *args: Any, owner: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not owner:
            field = cast(forms.ChoiceField, self.fields["role"])
            field.choices = [choice for choice in Role.choices if choice[0] not in (Role.OWNER, Role.MANAGER)]


class MeForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    language = LanguageField()
    zone = ZoneField(help_text=_("Times are shown in this zone."))
    theme = forms.ChoiceField(label=_("Theme"), choices=User.Theme.choices)
    by_email = forms.BooleanField(label=_("Write me an e-mail when something cannot wait"), required=False)
    by_push = forms.BooleanField(label=_("Show it on my devices, where I agreed"), required=False)


class PeopleFilterForm(forms.Form):
    q = forms.CharField(label=_("Search"), required=False)


class AuditFilterForm(forms.Form):
    q = forms.CharField(label=_("Search"), required=False)
