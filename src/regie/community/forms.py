"""The inbox's search and filters, kept in the URL."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from regie.community.models import Message
from regie.community.queries import Wanted, accounts_with_inbox, who_can_answer
from regie.networks.capabilities import MessageKind
from regie.people.scope import Scope

ANY = "all"
KINDS = {
    MessageKind.REPLY: _("Replies"),
    MessageKind.COMMENT: _("Comments"),
    MessageKind.MENTION: _("Mentions"),
    MessageKind.DIRECT: _("Private messages"),
    MessageKind.REVIEW: _("Reviews"),
}
KIND = {
    MessageKind.REPLY: _("Reply"),
    MessageKind.COMMENT: _("Comment"),
    MessageKind.MENTION: _("Mention"),
    MessageKind.DIRECT: _("Private message"),
    MessageKind.REVIEW: _("Review"),
}


class FilterForm(forms.Form):
    q = forms.CharField(label=_("Search"), required=False, max_length=200)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", pgettext_lazy("messages", "Open")),
            ("done", pgettext_lazy("messages", "Done")),
            (ANY, _("Open and done")),
        ],
    )
    account = forms.ChoiceField(label=_("Account"), required=False)
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("All kinds")), *KINDS.items()])
    assignee = forms.ChoiceField(label=_("For whom"), required=False)

    def __init__(self, *args: Any, scope: Scope, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        accounts = [
            (account.pk, f"{account.in_full} · {account.workspace.name}" if scope.all else account.in_full)
            for account in accounts_with_inbox(scope)
        ]
        others = [one for one in who_can_answer(scope.workspace_ids("read_inbox")) if one != scope.user]
        cast(forms.ChoiceField, self.fields["account"]).choices = [("", _("All accounts")), *accounts]
        cast(forms.ChoiceField, self.fields["assignee"]).choices = [
            ("", _("Anybody")),
            ("me", _("For me")),
            ("nobody", _("Nobody yet")),
            *((person.pk, str(person)) for person in others),
        ]

    def wanted(self) -> Wanted:
        """What was chosen; a choice that does not exist (any more) narrows nothing."""
        self.is_valid()
        chosen = self.cleaned_data
        state = chosen.get("state") or Message.State.OPEN
        return Wanted(
            text=chosen.get("q", ""),
            state="" if state == ANY else state,
            account=chosen.get("account", ""),
            kind=chosen.get("kind", ""),
            assignee=chosen.get("assignee", ""),
        )

    @property
    def narrows(self) -> bool:
        """Whether anything but the state was chosen."""
        return any(self.cleaned_data.get(name) for name in ("q", "account", "kind", "assignee"))
