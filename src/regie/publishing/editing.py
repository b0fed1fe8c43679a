"""Changing what is out, where its network lets us: what people ask for, and how they settle what nobody knows.

An edit is a row before its network hears of it; ``edit_calls`` says it. One at a time for each part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.core import clock
from regie.core.sentences import in_words
from regie.networks import registry
from regie.networks.capabilities import Format, Option, OptionKind
from regie.networks.options import Value, said
from regie.networks.protocols import Edits
from regie.people import audit
from regie.people.models import Member
from regie.publishing.contents import COMMENT
from regie.publishing.errors import EditedMeanwhile, NotNow, NotReady
from regie.publishing.models import Delivery, Edit, Step
from regie.publishing.services.rows import label, locked
from regie.publishing.states import State
from regie.studio.checks import Level, files_of, look_at
from regie.studio.checks.texts import about_first_comment
from regie.studio.content import Content, MediaUse, Part, Poll

TYPED = (OptionKind.LINE, OptionKind.LINK, OptionKind.TAGS)  # options that a plain field can hold


def parts_of(delivery: Delivery) -> list[Step]:
    """The parts of a delivery that are out and may be changed, in their order; the first comment where its network lets
    comments be changed."""
    comments = capabilities_of(delivery.account).edit_comment
    return [
        step
        for step in delivery.steps.all()
        if step.state == Step.State.PUBLISHED and step.remote_id and (comments or COMMENT not in step.content)
    ]


def why_not(delivery: Delivery) -> str | None:
    """A sentence that says why what is out cannot be changed from here; None when it can."""
    account = delivery.account
    connector = registry.connector(account.network)
    if not connector.can.edit or not issubclass(connector, Edits):
        return _("%(network)s lets nobody change what is published.") % {"network": connector.name}
    if not capabilities_of(account).edit:
        return _("%(network)s lets posts be changed, but not on this account: a right or a plan is missing there.") % {
            "network": connector.name
        }
    if delivery.state != State.PUBLISHED or delivery.gone_at is not None or delivery.remove_at is not None:
        return _("It is not there to be changed.")
    if account.state != Account.State.CONNECTED:
        return _("The account is not connected at the moment. Reconnect or resume it first.")
    if not any(attempt for step in delivery.steps.all() for attempt in step.attempts.all()):
        return _("It was published by hand: change it there.")
    return None


def options_of(step: Step, account: Account) -> list[Option]:
    """What an edit may change beside the text: of the first part, what its network declares and a field can hold."""
    can = capabilities_of(account)
    form = Format(step.content.get("format") or Format.POST)
    if step.position > 0:
        return []
    return [one for one in can.options if one.name in can.edits and one.kind in TYPED and form in one.formats]


@dataclass(frozen=True, kw_only=True)
class Look:
    """A part as somebody is shown it before they change it.

    seen: the number of the newest edit that had ended, 0 for none; to be given back to ``edit``
    content: what the part says
    under_way: the edit whose end is not known yet
    """

    seen: int
    content: dict[str, Any]
    under_way: Edit | None


def look(step: Step) -> Look:
    """The number is read first: an edit that ends while we look is not taken for one that was seen."""
    ended = step.edits.exclude(state__in=Edit.OPEN).order_by("-number").values_list("number", flat=True).first()
    content = Step.objects.values_list("content", flat=True).get(pk=step.pk)
    under_way = step.edits.filter(state__in=Edit.OPEN).select_related("by").first()
    return Look(seen=ended or 0, content=content, under_way=under_way)


@transaction.atomic
def edit(delivery: Delivery, *, text: str, options: Mapping[str, Value], by: Member, seen: int, part: int = 0) -> Edit:
    """Asks for a part to say something else; a worker tells the network within seconds.

    options: those of ``options_of`` by name; one that is not named stays as it is
    seen: the newest edit that had ended when the person looked (``look``: its number, 0 for none)
    Raises NotAllowed, NotNow, NotReady with the composer's sentences, EditedMeanwhile.
    """
    by.must("publish", delivery)
    row = locked(delivery, (State.PUBLISHED,), _("It is not there to be changed."))
    if (reason := why_not(row)) is not None:
        raise NotNow(reason)
    step = next((one for one in parts_of(row) if one.position == part), None)
    if step is None:
        raise NotNow(_("It is not there to be changed."))
    newest = step.edits.order_by("-number").first()
    if newest is not None and newest.is_open:
        raise EditedMeanwhile(
            _("Another change is under way. Read what it is going to say, and send yours once it is done.")
        )
    if newest is not None and newest.number > seen:
        raise EditedMeanwhile(
            _("Somebody changed it meanwhile. Read what it says now, then change it again if needed.")
        )
    content = changed(step, row.account, text, options)
    _must_be_ready(row, step, content)
    made = Edit.objects.create(
        step=step,
        number=newest.number + 1 if newest is not None else 1,
        before=step.content,
        content=content,
        by=by.user,
        next_at=clock.now(),
    )
    audit.record(by=by, did="delivery.edited", to=row, label=label(row), text=content["text"][:500])
    _say_soon(made)
    return made


def changed(step: Step, account: Account, text: str, options: Mapping[str, Value]) -> dict[str, Any]:
    """What a part says once these are in place. What a network lets nobody change is not looked at."""
    content: dict[str, Any] = {**step.content, "text": text.replace("\r\n", "\n").strip()}
    chosen = dict(step.content.get("options", {}))
    for option in options_of(step, account):
        if option.name in options:
            chosen.pop(option.name, None)
            if (value := said(option, options[option.name])) is not None:
                chosen[option.name] = value
    if chosen or "options" in content:
        content["options"] = chosen
    return content


def _must_be_ready(row: Delivery, step: Step, content: Mapping[str, Any]) -> None:
    """The composer's own checks, for this part as it would be. Raises NotReady."""
    if content == step.content:
        reasons = [_("Nothing is different from what it says now.")]
    elif COMMENT in content:
        reasons = _about_comment(content["text"], row.account)
    else:
        written = _as_written(content, row.account)
        found = look_at(written, row.account, files_of(written, row.workspace_id))
        reasons = [finding.said for finding in found if finding.level is Level.STOP]
    if reasons:
        raise NotReady(" ".join(reasons), {row.variant: reasons})


def _about_comment(words: str, account: Account) -> list[str]:
    if not words:
        return [_("A comment without words cannot stay: delete it on the network instead.")]
    name = registry.connector(account.network).name
    found = about_first_comment(Content(first_comment=words), capabilities_of(account), name)
    return [finding.said for finding in found if finding.level is Level.STOP]


def _as_written(content: Mapping[str, Any], account: Account) -> Content:
    """A step as the document of a post that says only this."""
    poll = content.get("poll")
    options = content.get("options")
    return Content(
        parts=[Part(text=content["text"], media=[MediaUse(**use) for use in content.get("media", [])])],
        content_warning=content.get("content_warning", ""),
        sensitive=content.get("sensitive", False),
        language=content.get("language", ""),
        visibility=content.get("visibility", ""),
        poll=Poll(**poll) if poll else None,
        format=Format(content.get("format") or Format.POST),
        options={str(account.pk): options} if options else {},
    )


def _say_soon(made: Edit) -> None:
    from regie.publishing.tasks import work_on_edit

    work_on_edit.defer(edit_id=made.pk)


# What nobody knows


@transaction.atomic
def settle(found: Edit, *, there: bool, by: Member) -> Edit:
    """A person looked at the post: it says what was asked for, or what it said before. Raises NotAllowed, NotNow."""
    from regie.publishing.edit_calls import done

    delivery = found.step.delivery
    by.must("publish", delivery)
    Delivery.objects.select_for_update().get(pk=delivery.pk)  # deliveries first, as everywhere
    row = Edit.objects.select_for_update(of=("self",)).select_related("step__delivery__account").get(pk=found.pk)
    if not row.asks_a_person:
        raise NotNow(_("This change is settled already."))
    if there:
        done(row, None)
    else:
        row.state, row.ended_at = Edit.State.REFUSED, clock.now()
        row.save(update_fields=["state", "ended_at"])
    did = "delivery.edit_there" if there else "delivery.edit_absent"
    audit.record(by=by, did=did, to=delivery, label=label(delivery))
    row.refresh_from_db()
    return row


def problem_of(row: Edit) -> str:
    """The network's trouble with it in the reader's language, or empty."""
    return in_words(row.problem, row.problem_facts) if row.problem else ""
