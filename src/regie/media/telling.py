"""What the audit trail says of pictures."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from regie.people import audit


def register() -> None:
    audit.name_acts(
        {
            "file.uploaded": gettext_lazy("uploaded the picture"),
            "file.described": gettext_lazy("described the picture"),
            "file.removed": gettext_lazy("removed the picture"),
            "file.restored": gettext_lazy("brought back the picture"),
        }
    )
