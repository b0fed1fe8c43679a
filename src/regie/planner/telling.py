"""The planner's sentences: notices, and what its acts are called in the audit trail."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from regie.people import audit, notices


def register() -> None:
    notices.kind(
        "recurrence.stuck",
        lambda f: _("“{post}” could not be planned again: {why}").format(**f),
    )
    audit.name_acts(
        {
            "recurrence.begun": gettext_lazy("planned to come again"),
            "recurrence.changed": gettext_lazy("changed the rule of"),
            "recurrence.skipped": gettext_lazy("left out a date of"),
            "recurrence.taken_in": gettext_lazy("took in again a date of"),
            "recurrence.stopped": gettext_lazy("ended the repeats of"),
        }
    )
