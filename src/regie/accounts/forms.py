"""What a person types to connect an account: one form per way of signing in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from regie.accounts.models import Account, NetworkApp
from regie.accounts.opening import app_keys
from regie.accounts.services import logins_of, more_keys_of, permits_of
from regie.networks import registry
from regie.networks.capabilities import Option, SignIn


class ServerForm(forms.Form):
    """For networks where a person names the server they are on."""

    server = forms.CharField(
        label=_("Server"),
        max_length=300,
        help_text=_("The part after the last @ of your address, such as mastodon.social."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "url", "spellcheck": "false"}),
    )


class HandleForm(forms.Form):
    """For networks that find the server by the handle. Without one, the vendor's own page asks."""

    hint = forms.CharField(
        label=_("Handle"),
        max_length=300,
        required=False,
        help_text=_("Such as name.bsky.social. You type your password on the network's own page, not here."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "username", "spellcheck": "false"}),
    )
    server = forms.CharField(
        label=_("Server"),
        max_length=300,
        required=False,
        help_text=_("Only if the account lives on a server of your own."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )


class AppPasswordForm(forms.Form):
    handle = forms.CharField(
        label=_("Handle"),
        max_length=300,
        help_text=_("Such as name.bsky.social."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=_("App password"),
        max_length=200,
        help_text=_("Made in the network's settings, under App passwords. Not your main password."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    server = forms.CharField(
        label=_("Server"),
        max_length=300,
        required=False,
        help_text=_("Only if the account lives on a server of your own."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )


class BotForm(forms.Form):
    token = forms.CharField(
        label=_("Bot token"),
        max_length=200,
        help_text=_("From @BotFather, such as 110201543:AAHdqTcv…"),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    chat = forms.CharField(
        label=_("Channel or group"),
        max_length=200,
        help_text=_("@name, a t.me link, or the number that begins with -100. The bot must be an administrator there."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )


class AccessKeyForm(forms.Form):
    """For VK: keys that are made on its own pages."""

    community_key = forms.CharField(
        label=_("Key of the community"),
        max_length=500,
        help_text=_("From the community's management: API usage, Access tokens."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    admin_key = forms.CharField(
        label=_("Key of an administrator"),
        max_length=500,
        required=False,
        help_text=_("For pictures, videos, polls and numbers. Without it, texts and documents go out."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )


LOGINS = {
    "instagram": _("On Instagram's own page"),
    "facebook": _("Through Facebook, with a Page linked to it"),
    "standard": _("With an app that has Standard access"),
    "tiktok": _("On TikTok's page: videos and photos"),
    "business": _("As a business account: comments too, with an app of TikTok API for Business"),
    "trial": _("With an app on trial access: only you see what you publish"),
    "pages": _("Pages, and your own profile"),
    "profile": _("Your own profile alone"),
}


class LoginForm(forms.Form):
    """For vendors with more than one login: which one. ``server`` is the address that goes with it."""

    server = forms.ChoiceField(label=_("Sign in"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, logins: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ChoiceField, self.fields["server"])
        field.choices = [(address, LOGINS[word]) for word, address in logins.items()]
        if self.initial.get("server") not in logins.values():
            self.initial["server"] = next(iter(logins.values()))


class KeysForm(forms.Form):
    """The keys of the app that the operator made at a vendor."""

    client_id = forms.CharField(
        label=_("App ID"),
        max_length=500,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )
    client_secret = forms.CharField(
        label=_("App secret"),
        max_length=500,
        help_text=_("Kept sealed, and shown to nobody."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, network: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.more = more_keys_of(network)
        self.fields |= {key.name: _field_of(key) for key in self.more}

    def extra(self) -> dict[str, str]:
        """What was entered beside the two, by name."""
        return {key.name: value for key in self.more if (value := self.cleaned_data.get(key.name, "").strip())}


def _field_of(key: Option) -> forms.Field:
    words: dict[str, Any] = {"label": _(key.label), "help_text": _(key.help) if key.help else "", "required": False}
    if key.choices:
        return forms.ChoiceField(choices=[(one.value, _(one.label)) for one in key.choices], **words)
    widget = forms.PasswordInput if key.name.endswith("secret") else forms.TextInput
    return forms.CharField(max_length=500, widget=widget(attrs={"autocomplete": "off", "spellcheck": "false"}), **words)


class PermitsForm(forms.Form):
    """What sign-ins with an app of ours ask for beside the usual."""

    def __init__(self, *args: Any, app: NetworkApp, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = permits_of(app.network, app.server)
        keys = app_keys(app.network, app.server) if self.offered else None
        for one in self.offered:
            self.fields[one.name] = forms.BooleanField(label=_(one.label), help_text=_(one.help), required=False)
            self.initial[one.name] = keys is not None and bool(keys.extra.get(one.name))

    def chosen(self) -> list[str]:
        return [one.name for one in self.offered if self.cleaned_data[one.name]]


def connect_form(network: str, way: SignIn, *args: Any, **kwargs: Any) -> forms.Form:
    """The form for a network and a way of signing in, made from what was sent and what is known already."""
    logins = logins_of(network)
    if way == SignIn.OAUTH and logins:
        return LoginForm(*args, logins=logins, **kwargs) if len(logins) > 1 else forms.Form(*args, **kwargs)
    return form_class(network, way)(*args, **kwargs)


def form_class(network: str, way: SignIn) -> type[forms.Form]:
    """The form for a network that needs no app of ours, and a way of signing in."""
    if way == SignIn.APP_PASSWORD:
        return AppPasswordForm
    if way == SignIn.BOT_TOKEN:
        return BotForm
    if way == SignIn.ACCESS_KEY:
        return AccessKeyForm
    return HandleForm if registry.connector(network).default_server else ServerForm


class FilterForm(forms.Form):
    """The list's search and filter, kept in the URL."""

    q = forms.CharField(label=_("Search"), required=False)
    state = forms.ChoiceField(label=_("State"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = [choice for choice in Account.State.choices if choice[0] != Account.State.REMOVED]
        cast(forms.ChoiceField, self.fields["state"]).choices = [("", _("All states")), *shown]
