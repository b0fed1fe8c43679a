"""What the audit trail says of posts."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from regie.people import audit


def register() -> None:
    audit.name_acts(
        {
            "post.created": gettext_lazy("wrote the post"),
            "post.saved": gettext_lazy("changed the post"),
            "post.duplicated": gettext_lazy("duplicated the post"),
            "post.removed": gettext_lazy("put in the bin the post"),
            "post.restored": gettext_lazy("took out of the bin the post"),
            "campaign.created": gettext_lazy("created the campaign"),
            "campaign.changed": gettext_lazy("changed the campaign"),
            "campaign.archived": gettext_lazy("archived the campaign"),
            "campaign.put_back": gettext_lazy("took out of the archive the campaign"),
            "campaign.given": gettext_lazy("chose the campaign of the post"),
        }
    )
