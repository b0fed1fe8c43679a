"""Moderating what was said under our posts: hiding a comment, showing it again, deleting it, ours too.

The network is asked at once, while the person waits. Each of these may be repeated there without harm, so a second
click, or one after a lost answer, changes nothing more, and is written down once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import aiohttp
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of, connector_for
from regie.accounts.services import refresh_token, why
from regie.accounts.talk import talk
from regie.community.errors import CannotReach
from regie.community.models import Message
from regie.core import clock
from regie.core.sealed import CannotOpen
from regie.core.threads import in_thread
from regie.networks import registry
from regie.networks.capabilities import Answering, MessageKind
from regie.networks.data import Ref
from regie.networks.errors import NetworkError, TokenExpired, Unclear
from regie.networks.protocols import Connector, Deletes, Hides
from regie.people import audit
from regie.people.models import Member

PATIENCE = 12.0  # seconds that a person waits
IN_THE_OPEN = (MessageKind.REPLY, MessageKind.COMMENT, MessageKind.REVIEW)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deed:
    """``needs``: what the network declares for it; ``lacking``: the sentence where it has no such thing; ``barred``:
    where it has, and this account may not."""

    needs: Answering
    lacking: Promise
    barred: Promise


DEEDS = {
    "like": Deed(
        Answering.LIKE,
        gettext_lazy("This network has no likes for messages."),
        gettext_lazy("%(network)s lets this account like no messages: a right, a role or a plan is missing there."),
    ),
    "hide": Deed(
        Answering.HIDE,
        gettext_lazy("This network hides no comments."),
        gettext_lazy("%(network)s lets this account hide no comments: a right or a role is missing there."),
    ),
    "delete": Deed(
        Answering.DELETE,
        gettext_lazy("This network lets nobody delete the comments of others."),
        gettext_lazy("%(network)s lets this account delete no comments of others: a right or a role is missing there."),
    ),
    "delete_own": Deed(
        Answering.DELETE_OWN,
        gettext_lazy("This network takes no answers back."),
        gettext_lazy("%(network)s lets this account take no answers back: a right or a role is missing there."),
    ),
}


def offered(message: Message) -> dict[str, str]:
    """What its network has for this message ("like", "hide", "delete"), each with the reason why not now, or empty.

    What the network does not have at all, or not for such a message, is left out.
    """
    has = registry.connector(message.account.network).can.answers
    fits = [verb for verb in ("like", "hide", "delete") if _fits(verb, message) and _deed(verb, message).needs in has]
    return {verb: why_not(verb, message) or "" for verb in fits}


def why_not(verb: str, message: Message) -> str | None:
    """A sentence that says why this cannot be done now; None when it can. ``verb``: like, hide or delete."""
    account, deed = message.account, _deed(verb, message)
    can = capabilities_of(account)
    name = registry.connector(account.network).name
    if deed.needs not in registry.connector(account.network).can.answers or not _fits(verb, message):
        return str(deed.lacking)
    if deed.needs not in can.answers:
        return str(deed.barred) % {"network": name}
    if message.gone_at is not None:
        return _("The message was deleted on the network.")
    if account.state != Account.State.CONNECTED:
        return _("The account is not connected at the moment. Reconnect or resume it first.")
    if verb == "delete" and can.delete_within is not None and message.said_at + can.delete_within < clock.now():
        return _("%(network)s lets us delete only what is younger than %(hours)s hours.") % {
            "network": name,
            "hours": int(can.delete_within.total_seconds() // 3600),
        }
    return None


def _deed(verb: str, message: Message) -> Deed:
    return DEEDS["delete_own" if verb == "delete" and message.ours else verb]


def _fits(verb: str, message: Message) -> bool:
    """Only what stands under a post or a place is hidden or deleted, and only what others said is liked or hidden."""
    if verb == "like":
        return not message.ours
    return message.kind in IN_THE_OPEN and not (verb == "hide" and message.ours)


# Doing it


def hide(*, message: Message, by: Member) -> None:
    """From everybody but its author. Raises NotAllowed, or CannotReach with what the network said."""
    _hide(message, by, hidden=True)


def unhide(*, message: Message, by: Member) -> None:
    """Shows it again."""
    _hide(message, by, hidden=False)


def _hide(message: Message, by: Member, *, hidden: bool) -> None:
    _must("hide", message, by)

    async def do(connector: Connector, ref: Ref) -> None:
        if isinstance(connector, Hides):
            await (connector.hide(ref) if hidden else connector.unhide(ref))

    ask(message, do)
    with transaction.atomic():
        row = Message.objects.filter(pk=message.pk, hidden_at__isnull=hidden)
        if row.update(hidden_at=clock.now() if hidden else None, hidden_by=by.user if hidden else None):
            audit.record(by=by, did="message.hidden" if hidden else "message.shown", to=message)
    message.refresh_from_db()


def delete(*, message: Message, by: Member) -> None:
    """For good: nobody can bring it back. It counts as done. Raises NotAllowed, or CannotReach."""
    by.must("answer", message)
    if message.gone_at is not None:
        return
    _must("delete", message, by)

    async def do(connector: Connector, ref: Ref) -> None:
        if isinstance(connector, Deletes):
            await connector.delete(ref)

    ask(message, do)
    now = clock.now()
    with transaction.atomic():
        if Message.objects.filter(pk=message.pk, gone_at=None).update(gone_at=now, gone_by=by.user):
            audit.record(by=by, did="message.deleted", to=message, text=message.text[:500])
        still_open = Message.objects.filter(pk=message.pk, state=Message.State.OPEN)
        still_open.update(state=Message.State.DONE, done_by=by.user, done_at=now)
    message.refresh_from_db()


def _must(verb: str, message: Message, by: Member) -> None:
    by.must("answer", message)
    if (said := why_not(verb, message)) is not None:
        raise CannotReach(said)


def ask(message: Message, what: Callable[[Connector, Ref], Awaitable[T]]) -> T:
    """Says it to the message's network, with a fresh token when the old one ran out. Raises CannotReach."""
    ref = Ref(remote_id=message.remote_id, root_id=message.conversation.remote_id, extra=message.extra)

    async def say(http: aiohttp.ClientSession) -> T:
        async with asyncio.timeout(PATIENCE):
            try:
                return await what(await in_thread(connector_for, message.account, http), ref)
            except TokenExpired:
                if not await refresh_token(message.account_id):
                    raise
                fresh = await in_thread(Account.objects.get, pk=message.account_id)
                return await what(await in_thread(connector_for, fresh, http), ref)

    try:
        return talk(say)
    except (TimeoutError, Unclear) as exc:
        said = _("The network did not answer in time, so it may be done or not. Do it again: twice does no harm.")
        raise CannotReach(said) from exc
    except CannotOpen:
        raise CannotReach(_("The account is not connected at the moment. Reconnect or resume it first.")) from None
    except NetworkError as exc:
        raise CannotReach(why(exc)) from exc
