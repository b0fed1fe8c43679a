"""What people are told about messages, and which news of accounts this app listens to."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from regie.accounts.models import Account
from regie.accounts.signals import account_connected
from regie.people import audit, notices


def register() -> None:
    notices.kind(
        "message.assigned",
        lambda facts: _("%(by)s asks you to answer %(author)s on %(account)s: “%(text)s”") % facts,
    )
    notices.kind("answer.refused", lambda facts: _("Your answer to %(author)s on %(account)s was not sent.") % facts)
    notices.kind(
        "answer.unclear",
        lambda facts: _("Nobody knows whether your answer to %(author)s on %(account)s went out: please look.") % facts,
    )
    audit.name_acts(
        {
            "message.answered": gettext_lazy("answered the message"),
            "message.done": gettext_lazy("marked as done the message"),
            "message.reopened": gettext_lazy("reopened the message"),
            "message.assigned": gettext_lazy("assigned the message"),
            "message.liked": gettext_lazy("liked the message"),
            "message.unliked": gettext_lazy("took back the like of the message"),
            "message.hidden": gettext_lazy("hid the message"),
            "message.shown": gettext_lazy("showed again the message"),
            "message.deleted": gettext_lazy("deleted on the network the message"),
            "answer.sent_again": gettext_lazy("sent again the answer to"),
            "answer.settled": gettext_lazy("settled as sent the answer to"),
            "answer.dropped": gettext_lazy("gave up the answer to"),
        }
    )


def listen() -> None:
    account_connected.connect(_begin_reading, dispatch_uid="community.begin_reading")


def _begin_reading(sender: object, account: Account, **more: Any) -> None:
    from regie.community.reading import join

    join(account)
