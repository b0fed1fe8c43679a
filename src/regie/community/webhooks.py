"""Messages that a network brings to an address of ours: kept as they came, answered at once, worked on by a job."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import cast

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from regie.accounts.hooks import app_webhook, brings_for_app
from regie.accounts.models import Account, NetworkApp
from regie.accounts.opening import app_keys, login_of, session
from regie.accounts.services import check_soon
from regie.community.arriving import accounts_of, store
from regie.community.models import Inbox, Intake
from regie.community.reading import note_trouble, readable, speaker
from regie.core import clock
from regie.core.sealed import CannotOpen
from regie.core.threads import in_thread
from regie.networks import registry
from regie.networks.data import Login, Messages
from regie.networks.errors import NetworkError, Refused, SignInAgain, TryLater
from regie.networks.protocols import (
    AnswersChallenges,
    Completes,
    ConfirmsAddress,
    EntersWebhook,
    ReceivesForApp,
    ReceivesWebhooks,
)

log = logging.getLogger(__name__)

LARGEST = 1024 * 1024  # bytes of one delivery
MOST_HEADERS = 4096  # characters of one header that is kept
KEPT_DAYS = 14
PLACE = "{secret}"
NOT_TAKEN = timedelta(hours=6)  # until a network that would not take our address is told again
LONGEST_SECRET = 48  # VK takes 50
AT_ONCE = 200
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, OverflowError)  # not the shape that we know


def address_of(inbox: Inbox) -> str:
    """Where the network is to bring this queue's messages; empty when nobody outside could reach us."""
    if brings_for_app(inbox.network):
        return app_webhook(inbox.network)
    public = str(settings.PUBLIC_URL)
    return f"{public}/webhooks/{inbox.network}/{inbox.token}/" if public.startswith("https://") else ""


def secret_of(inbox: Inbox) -> str:
    """What the network shows with each delivery. Derived from the installation's own key, so it is kept nowhere."""
    return salted_hmac("regie.community.webhooks", inbox.token, algorithm="sha256").hexdigest()[:LONGEST_SECRET]


def mark_of(inbox: Inbox) -> str:
    """Changes when the address or the secret does, and before the network forgets them: then it has to be told."""
    if not (address := address_of(inbox)):
        return ""
    turn = _turn(inbox.network)
    return f"{address}#{salted_hmac('regie.community.webhooks.mark', secret_of(inbox) + turn).hexdigest()[:8]}"


def _turn(network: str) -> str:
    """Which half of the time it is after which the network forgets our address; empty where it never does."""
    lasts: timedelta | None = getattr(registry.connector(network), "webhook_lasts", None)
    return str(int(clock.now().timestamp() // (lasts / 2).total_seconds())) if lasts else ""


def receives(network: str) -> bool:
    return issubclass(registry.connector(network), ReceivesWebhooks)


def to_arrange() -> list[int]:
    """Queues whose network does not know the right address: after a move to https, or away from it."""
    wanted = [slug for slug in registry.slugs() if (receives(slug) or brings_for_app(slug)) and _has_keys(slug)]
    now = clock.now()
    rows = Inbox.objects.filter(network__in=wanted, next_at__lte=now, tell_at__lte=now).order_by("pk")
    return [row.pk for row in rows if row.webhook != mark_of(row)]


def _has_keys(network: str) -> bool:
    """Whether the operator entered what it takes to tell the vendor our address."""
    connector = registry.connector(network)
    if not issubclass(connector, EntersWebhook):
        return True
    servers = list(NetworkApp.objects.filter(network=network).values_list("server", flat=True))
    known = (app_keys(network, server) for server in servers)
    return any(connector.has_webhook_keys(keys) for keys in known if keys is not None)


async def arrange(inbox_id: int) -> None:
    """Tells the network where to bring messages, or to keep them for us to fetch."""
    inbox = await in_thread(Inbox.objects.get, pk=inbox_id)
    async with session(connections=1) as http:
        found = await in_thread(speaker, inbox, http)
        if found is None:
            return
        connector = found[1]
        try:
            if isinstance(connector, ReceivesForApp):
                await _arrange_for_app(connector, address_of(inbox))
            elif not isinstance(connector, ReceivesWebhooks):
                return
            elif address := address_of(inbox):
                await connector.set_webhook(url=address, secret=secret_of(inbox))
            else:
                await connector.delete_webhook()
        except NetworkError as exc:
            await in_thread(_not_arranged, inbox, found[0], exc)
        else:
            await in_thread(_arranged, inbox)


async def _arrange_for_app(connector: ReceivesForApp, address: str) -> None:
    if not address:
        await connector.unsubscribe()
        return
    if isinstance(connector, EntersWebhook):
        await connector.enter_webhook(url=address)
    await connector.subscribe()


def _arranged(inbox: Inbox) -> None:
    Inbox.objects.filter(pk=inbox.pk).update(webhook=mark_of(inbox))


def confirmation(network: str, *, body: bytes, query: Mapping[str, str]) -> str | None:
    """The word by which an address of ours confirms itself, when its vendor asks for that; None: it brought news."""
    connector = registry.connector(network)
    if not hasattr(connector, "confirmation"):
        return None
    return cast(type[ConfirmsAddress], connector).confirmation(body=body, query=query)


def thanks(network: str) -> str:
    """What the vendor wants back for each delivery; for most, nothing."""
    return str(getattr(registry.connector(network), "thanks", ""))


def _not_arranged(inbox: Inbox, account: Account, problem: NetworkError) -> None:
    """Where a queue can be read at any time, a network that does not take our address costs nothing but the wait."""
    if isinstance(problem, SignInAgain) or brings_for_app(inbox.network) or not readable(inbox.network):
        note_trouble(inbox, account, problem)
        return
    log.info("%s does not bring its news to us, so it is asked for them: %s", inbox.network, problem)
    Inbox.objects.filter(pk=inbox.pk).update(tell_at=clock.now() + NOT_TAKEN)


def take_in(inbox: Inbox, *, body: bytes, headers: Mapping[str, str]) -> Intake:
    """Keeps one delivery as it came, with a nudge to work on it. Raises Refused when it is not signed right."""
    understand(inbox, body=body, headers=headers)
    kept = body.replace(secret_of(inbox).encode(), _place_in_body(inbox))
    with transaction.atomic():
        return _keep(inbox, kept, _kept(inbox, headers))


def _keep(inbox: Inbox, body: bytes, headers: Mapping[str, str]) -> Intake:
    """What comes again, from its network or from somebody who overheard it, is the one that we have already."""
    from regie.community.tasks import work_on_intake

    given = {"body": body, "headers": dict(headers)}
    intake, is_new = Intake.objects.get_or_create(inbox=inbox, digest=sha256(body).digest(), defaults=given)
    if is_new:
        work_on_intake.defer(intake_id=intake.pk)
    return intake


def take_in_for_app(network: str, *, body: bytes, headers: Mapping[str, str]) -> list[Intake]:
    """Keeps one delivery for each account of ours that it is about, with a nudge to work on it.

    Raises Refused when none of our apps' secrets signed it, or it is no news at all.
    """
    connector = cast(type[ReceivesForApp], registry.connector(network))
    _must_be_signed(network, connector, body=body, headers=headers)
    ids = connector.concerns(body)
    accounts = Account.objects.filter(network=network, remote_id__in=ids).exclude(state=Account.State.REMOVED)
    with transaction.atomic():
        inboxes = Inbox.objects.filter(accounts__account__in=accounts).distinct().order_by("pk")
        return [_keep(inbox, body, {}) for inbox in inboxes]


def challenge(network: str, query: Mapping[str, str]) -> str | None:
    """The word that a vendor asks for, made with our app's secret. None: it asked for none, or we have no app there."""
    connector = registry.connector(network)
    if not issubclass(connector, AnswersChallenges):
        return None
    for server in NetworkApp.objects.filter(network=network).order_by("server").values_list("server", flat=True):
        keys = app_keys(network, server)
        if keys is not None and (answer := connector.challenge(keys, query=query)) is not None:
            return answer
    return None


def _must_be_signed(network: str, connector: type[ReceivesForApp], *, body: bytes, headers: Mapping[str, str]) -> None:
    servers = list(NetworkApp.objects.filter(network=network).values_list("server", flat=True))
    for server in servers:
        keys = app_keys(network, server)
        try:
            if keys is not None:
                connector.verify(keys, body=body, headers=headers)
                return
        except Refused:
            continue
    raise Refused("No app of ours signed this delivery.")


def _place_in_body(inbox: Inbox) -> bytes:
    """Where the secret stood in a body. Nobody outside can write the same: it would come out as the secret."""
    return f"{{secret of {inbox.token}}}".encode()


def _kept(inbox: Inbox, headers: Mapping[str, str]) -> dict[str, str]:
    """What a signature may stand in; where the secret itself comes with the delivery, only its place is kept."""
    secret = secret_of(inbox)
    lower = {name.lower(): value[:MOST_HEADERS].replace(secret, PLACE) for name, value in headers.items()}
    return {name: value for name, value in lower.items() if name.startswith("x-") or name == "content-type"}


def understand(inbox: Inbox, *, body: bytes, headers: Mapping[str, str]) -> Messages:
    """What a delivery says. Raises Refused when it is not signed right, or no account of the queue is connected."""
    connector, login = cast(type[ReceivesWebhooks], registry.connector(inbox.network)), _login_for(inbox)
    if issubclass(connector, ReceivesForApp):
        return connector.news(login, body=body)  # its signature was checked before it was kept
    return connector.received(login, body=body, headers=headers, secret=secret_of(inbox))


def _login_for(inbox: Inbox) -> Login:
    for account in accounts_of(inbox):
        try:
            return login_of(account)
        except CannotOpen:
            continue
    raise Refused("No connected account waits for messages here.")


def _completed(inbox: Inbox, news: Messages) -> Messages:
    """With what the network says only when it is asked. Called in a thread of its own, as every job's services are."""
    if not news.messages or not issubclass(registry.connector(inbox.network), Completes):
        return news
    return asyncio.run(_asked(inbox.network, _login_for(inbox), news))


async def _asked(network: str, login: Login, news: Messages) -> Messages:
    async with session(connections=1) as http:
        return await cast(Completes, registry.connector(network)(http, login)).completed(news)


def waiting_intakes() -> list[int]:
    """Those whose job was lost."""
    return list(Intake.objects.filter(done_at=None).order_by("received_at").values_list("pk", flat=True)[:AT_ONCE])


def work_on(intake_id: int) -> None:
    """Puts one kept delivery into the inbox. Coming twice is harmless; one nobody understands stays, with why."""
    intake = Intake.objects.select_related("inbox").filter(pk=intake_id, done_at=None).first()
    if intake is None:
        return
    problem = ""
    try:
        store(intake.inbox, _completed(intake.inbox, _read_again(intake)), cursor=False)
    except Refused as exc:
        problem = exc.said[:300]
    except TryLater:  # the next sweep finds it again
        return
    except SignInAgain:  # it may come late, and be cured meanwhile
        check_soon(accounts_of(intake.inbox))
    Intake.objects.filter(pk=intake.pk).update(done_at=clock.now(), problem=problem)


def _read_again(intake: Intake) -> Messages:
    """What a kept delivery says. One of a shape that we do not know would say as little next time: Refused."""
    secret, network = secret_of(intake.inbox), intake.inbox.network
    headers = {name: value.replace(PLACE, secret) for name, value in intake.headers.items()}
    body = bytes(intake.body).replace(_place_in_body(intake.inbox), secret.encode())
    try:
        return understand(intake.inbox, body=body, headers=headers)
    except UNREADABLE as exc:  # its words may hold what people wrote: only its kind is told
        reason = type(exc).__name__
        log.warning("Delivery %s of %s has a shape that we do not know: %s", intake.pk, network, reason)
        raise Refused("This delivery has a shape that we do not know ({reason}).", reason=reason) from None


def forget_old_intakes() -> int:
    """Deliveries that were worked on and understood are kept for two weeks."""
    old = clock.now() - timedelta(days=KEPT_DAYS)
    return Intake.objects.filter(done_at__lt=old, problem="").delete()[0]
