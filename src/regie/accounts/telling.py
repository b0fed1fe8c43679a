"""What people are told about accounts."""

from __future__ import annotations

from django.utils.translation import gettext as _

from regie.people import notices


def register() -> None:
    notices.kind(
        "account.broken",
        lambda facts: _("%(account)s on %(network)s has to be connected again: nothing can go out until then.") % facts,
    )
