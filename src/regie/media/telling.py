"""What the audit trail says of files."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from regie.people import audit


def register() -> None:
    audit.name_acts(
        {
            "file.uploaded": gettext_lazy("uploaded the file"),
            "file.described": gettext_lazy("described the file"),
            "file.removed": gettext_lazy("removed the file"),
            "file.restored": gettext_lazy("brought back the file"),
        }
    )
