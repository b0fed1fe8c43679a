"""What people are told about accounts."""

from __future__ import annotations

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from regie.people import audit, notices


def register() -> None:
    notices.kind(
        "account.broken",
        lambda facts: _("%(account)s on %(network)s has to be connected again: nothing can go out until then.") % facts,
    )
    notices.kind(
        "account.ending",
        lambda facts: (
            _("%(account)s on %(network)s stops working on %(day)s unless you connect it again.")
            % {**facts, "day": date_format(date.fromisoformat(facts["day"]), "DATE_FORMAT")}
        ),
    )
    audit.name_acts(
        {
            "account.connected": gettext_lazy("connected the account"),
            "account.reconnected": gettext_lazy("reconnected the account"),
            "account.paused": gettext_lazy("paused the account"),
            "account.resumed": gettext_lazy("resumed the account"),
            "account.removed": gettext_lazy("removed the account"),
            "account.broken": gettext_lazy("lost the sign-in of the account"),
            "network_app.entered": gettext_lazy("entered the keys of the app at"),
            "network_app.permits": gettext_lazy("changed what is asked for with the app at"),
            "network_app.forgotten": gettext_lazy("forgot the registration at"),
        }
    )
