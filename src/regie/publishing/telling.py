"""Telling people of refusals, doubt, lateness and work by hand: once each, in the app and by e-mail."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from regie.core.sentences import in_words
from regie.people import notices
from regie.people.models import User
from regie.people.notices import Facts
from regie.publishing.models import Delivery
from regie.publishing.states import State

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
    notices.kind("delivery.gone", lambda f: _("“{post}” is no longer there on {account}.").format(**f))


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
    attempts = sum(step.attempts.count() for step in row.steps.all())
    notices.tell(
        _who(row),
        workspace=row.workspace_id,
        kind=f"delivery.{row.state}",
        key=f"delivery:{row.pk}:{row.state}:{row.due_at:%Y%m%dT%H%M%S}:{attempts}",
        facts={
            "post": str(row.variant.post),
            "account": str(row.account),
            "problem": row.problem,
            "facts": row.problem_facts,
        },
        path=f"posts/{row.variant.post_id}/",
        urgent=True,
    )


def _who(row: Delivery) -> Iterable[User]:
    """By hand: whom it was given to. Otherwise the author and those who may publish here."""
    if row.state == State.BY_HAND and row.variant.assignee is not None:
        return [row.variant.assignee]
    people = {user.pk: user for user in notices.members_who_may(row.workspace_id, "publish")}
    author = row.variant.post.author
    if author is not None and author.is_active and author.memberships.filter(workspace=row.workspace_id).exists():
        people[author.pk] = author
    return people.values()
