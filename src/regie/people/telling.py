"""Urgent notices go out by e-mail: one message per person and round, each notice once."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from regie.core import clock
from regie.people import notices
from regie.people.middleware import in_workspace
from regie.people.models import Notice, User
from regie.people.notices import sentence

logger = logging.getLogger(__name__)
TOO_OLD = timedelta(days=2)  # after a long outage nobody wants a flood of old news


def register() -> None:
    notices.kind("push.try", lambda _facts: _("This device shows your notices: all is well."))


def mail_urgent() -> int:
    """Sends what waits. Marked before it is sent: a crash loses a mail rather than sending it twice; the notice stays.

    Returns how many notices went out.
    """
    with transaction.atomic():
        waiting = list(
            Notice.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(
                urgent=True,
                emailed_at=None,
                read_at=None,
                user__is_active=True,
                user__by_email=True,
                created_at__gt=clock.now() - TOO_OLD,
            )
            .select_related("user", "workspace")
            .order_by("created_at")[:500]
        )
        Notice.objects.filter(pk__in=[notice.pk for notice in waiting]).update(emailed_at=clock.now())
    by_user: dict[User, list[Notice]] = defaultdict(list)
    for notice in waiting:
        by_user[notice.user].append(notice)
    for user, theirs in by_user.items():
        try:
            _mail(user, theirs)
        except OSError:
            logger.warning("The mail server did not take a message with %d notices.", len(theirs), exc_info=True)
            Notice.objects.filter(pk__in=[notice.pk for notice in theirs]).update(emailed_at=None)
    return len(waiting)


def _mail(user: User, theirs: list[Notice]) -> None:
    with translation.override(user.language):
        items = [
            {
                "sentence": sentence(notice),
                "workspace": notice.workspace.name,
                "link": settings.PUBLIC_URL + in_workspace(notice.path, notice.workspace.slug),
            }
            for notice in theirs
        ]
        subject = (
            items[0]["sentence"]
            if len(items) == 1
            else ngettext("%(n)d thing needs you", "%(n)d things need you", len(items)) % {"n": len(items)}
        )
        body = render_to_string("people/mail/notices.txt", {"items": items, "user": user})
        EmailMessage(" ".join(subject.split())[:150], body, to=[user.email]).send()
