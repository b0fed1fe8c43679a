"""How the API's own acts read in the audit trail."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from regie.people import audit


def register() -> None:
    audit.name_acts({"token.created": _("created the token"), "token.revoked": _("revoked the token")})
