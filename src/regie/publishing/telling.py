"""Telling people of refusals, doubt, lateness and work by hand: once each, in the app and by e-mail."""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from regie.core.sentences import in_words
from regie.people import audit, notices
from regie.people.models import User
from regie.people.notices import Facts
from regie.publishing.models import Attempt, Delivery
from regie.publishing.states import LIMITED, State

AT_ONCE = 200


def register() -> None:
    """The sentences, each with its way out; the notice leads to the post."""
    notices.kind("delivery.refused", lambda f: _("“{post}” was refused on {account}: {why}").format(**_in_words(f)))
    notices.kind(
        "delivery.unclear", lambda f: _("“{post}” may or may not be out on {account}: {why}").format(**_in_words(f))
    )
    notices.kind(
        "delivery.missed",
        lambda f: _("“{post}” was not published on {account} in time. Send it now, or let it go.").format(**f),
    )
    notices.kind(
        "delivery.partly",
        lambda f: _("Only a part of “{post}” is out on {account}. Finish it, or take it back.").format(**f),
    )
    notices.kind("delivery.by_hand", lambda f: _("It is time to publish “{post}” on {account} by hand.").format(**f))
    notices.kind(
        "delivery.published", lambda f: _("“{post}” could not be deleted on {account}: {why}").format(**_in_words(f))
    )
    notices.kind(
        "delivery.spread",
        lambda f: ngettext(
            "{account} takes no more posts today: {count} of yours has a later time.",
            "{account} takes no more posts today: {count} of yours have later times.",
            f["count"],
        ).format(**f),
    )
    notices.kind(
        "delivery.limited",
        lambda f: _("{account} took “{post}”, but the public does not see it: {why}").format(**_in_words(f)),
    )
    notices.kind("delivery.public", lambda f: _("The public sees “{post}” on {account} now.").format(**f))
    notices.kind("delivery.gone", lambda f: _("“{post}” is no longer there on {account}.").format(**f))
    notices.kind(
        "edit.refused", lambda f: _("{account} did not take your change of “{post}”: it says what it said.").format(**f)
    )
    notices.kind(
        "edit.unclear",
        lambda f: _("Nobody knows whether “{post}” was changed on {account}: please look.").format(**f),
    )
    audit.name_acts(
        {
            "post.scheduled": gettext_lazy("planned the post"),
            "post.published_now": gettext_lazy("published now the post"),
            "delivery.moved": gettext_lazy("moved the delivery"),
            "delivery.spread": gettext_lazy("gave a later time, as the network takes no more that day, to"),
            "delivery.cancelled": gettext_lazy("cancelled the delivery"),
            "delivery.cancel_undone": gettext_lazy("planned again the delivery"),
            "delivery.sent_again": gettext_lazy("sent again the delivery"),
            "delivery.sent_now": gettext_lazy("sent now the delivery"),
            "delivery.let_go": gettext_lazy("let go the delivery"),
            "delivery.kept": gettext_lazy("left held the delivery"),
            "delivery.finished": gettext_lazy("sent the missing parts of"),
            "delivery.taken_back": gettext_lazy("took back the delivery"),
            "delivery.left_as_it_is": gettext_lazy("left as it is what was partly out of"),
            "delivery.deleted": gettext_lazy("deleted on the network"),
            "delivery.settled_there": gettext_lazy("settled as published the delivery"),
            "delivery.settled_absent": gettext_lazy("settled as not there the delivery"),
            "delivery.done_by_hand": gettext_lazy("published by hand"),
            "delivery.gone": gettext_lazy("no longer found on the network"),
            "delivery.made_public": gettext_lazy("said that the public sees now"),
            "delivery.edited": gettext_lazy("changed what is published of"),
            "delivery.edit_there": gettext_lazy("settled as done the change of"),
            "delivery.edit_absent": gettext_lazy("settled as not done the change of"),
            "delivery.zone_changed": gettext_lazy("followed new clock rules for"),
            "frozen": gettext_lazy("froze publishing"),
            "freeze.lifted": gettext_lazy("lifted the freeze"),
            "restored": gettext_lazy("restored from a backup"),
        }
    )


def _in_words(facts: Facts) -> dict[str, str]:
    why = in_words(facts.get("problem", ""), facts.get("facts"))
    return {"post": facts["post"], "account": facts["account"], "why": why}


@transaction.atomic
def tell_people() -> int:
    """Tells of what is marked. The mark and the notices go together, so a crash neither loses nor doubles them."""
    rows = list(
        Delivery.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(to_tell=True)
        .select_related("variant__post__author", "variant__assignee", "account")
        .order_by("pk")[:AT_ONCE]
    )
    for row in rows:
        _tell(row)
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(to_tell=False)
    return len(rows)


def _tell(row: Delivery) -> None:
    looks = Attempt.Kind.LOOK  # a network that cannot be asked is asked again and again, which is no news
    attempts = Attempt.objects.filter(step__delivery=row).exclude(kind=looks).count()
    what = _what(row)
    asks = row.problem if what == State.UNCLEAR and row.look_at is None else ""  # what only they can settle
    news = row.limited if what == LIMITED else asks  # another one is told
    reason = f":{crc32(news.encode()):x}" if news else ""
    notices.tell(
        _who(row),
        workspace=row.workspace_id,
        kind=f"delivery.{what}",
        key=f"delivery:{row.pk}:{what}:{row.due_at:%Y%m%dT%H%M%S}:{attempts}{reason}",
        facts={
            "post": str(row.variant.post),
            "account": row.account.in_full,
            "problem": row.problem or (row.limited if what == LIMITED else ""),
            "facts": row.problem_facts,
        },
        path=_where_to_act(row),
        urgent=True,
    )


def _what(row: Delivery) -> str:
    if row.state != State.PUBLISHED or row.problem:
        return row.state  # a problem of a published one: it could not be deleted
    if row.gone_at is not None:
        return "gone"
    return LIMITED if row.limited else "public"


def _where_to_act(row: Delivery) -> str:
    """By hand: the page with text, files and steps, made for the phone that shows the notice."""
    return f"deliveries/{row.pk}/by-hand/" if row.state == State.BY_HAND else f"posts/{row.variant.post_id}/"


def _who(row: Delivery) -> Iterable[User]:
    """By hand: whom it was given to. Otherwise the author and those who may publish here, and at work by hand that was
    missed, whom it was given to."""
    assigned = row.variant.assignee if row.variant.by_hand and _is_here(row.variant.assignee, row) else None
    if row.state == State.BY_HAND and assigned is not None:
        return [assigned]
    people = {user.pk: user for user in notices.members_who_may(row.workspace_id, "publish")}
    author = row.variant.post.author if _is_here(row.variant.post.author, row) else None
    return {**people, **{user.pk: user for user in (assigned, author) if user is not None}}.values()


def _is_here(user: User | None, row: Delivery) -> bool:
    """Whoever has left the workspace hears nothing of it any more."""
    return user is not None and user.is_active and user.memberships.filter(workspace=row.workspace_id).exists()
