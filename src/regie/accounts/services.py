"""Connecting accounts and keeping them connected. Network calls stay outside transactions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from regie.accounts import budgets, queries
from regie.accounts.errors import CannotConnect
from regie.accounts.models import Account, NetworkApp
from regie.accounts.opening import app_keys, connector_for, open_credentials, seal_app_keys, seal_credentials, session
from regie.accounts.signals import account_connected, account_disconnected
from regie.core import clock
from regie.core.outside import Guard
from regie.core.sealed import CannotOpen, sealer
from regie.core.sentences import in_words
from regie.core.threads import in_thread
from regie.networks import registry
from regie.networks.capabilities import Option, Permit
from regie.networks.data import AppKeys, Json, Profile, SignedIn
from regie.networks.errors import NetworkError, SignInAgain
from regie.networks.protocols import KnowsItself, Refreshes, Revokes
from regie.people import audit, notices
from regie.people.errors import NotAllowed
from regie.people.models import Member, User
from regie.people.services import seal_again

REFRESH_BEFORE_END = 0.2  # of a token's life
REFRESH_LEASE = timedelta(minutes=2)
RETRY_REFRESH = timedelta(minutes=1)
ON = "on"  # in ``AppKeys.extra``, under the name of a ``Permit``


@transaction.atomic
def connect(
    *, network: str, profile: Profile, signed_in: SignedIn, by: Member, again: Account | None = None
) -> Account:
    """Connects an account to the member's workspace, or gives an existing one fresh credentials.

    ``again``: the account that is reconnected; the network may know it under a new id by now.
    Raises NotAllowed.
    """
    by.must("connect", again)
    rows = Account.objects.select_for_update().exclude(state=Account.State.REMOVED)
    if again is not None:
        account = rows.filter(pk=again.pk).first()
    else:
        account = rows.filter(
            workspace=by.workspace, network=network, server=profile.server, remote_id=profile.remote_id
        ).first()
    fresh = account is None
    if account is None:
        account = Account(workspace=by.workspace, network=network, connected_by=by.user)
    account.server, account.remote_id = profile.server, profile.remote_id
    _describe(account, profile)
    account.save()
    _store(account, replace(signed_in, credentials={**signed_in.credentials, **profile.credentials}))
    if account.state == Account.State.BROKEN or fresh:
        account.state = Account.State.CONNECTED
    account.problem, account.problem_facts, account.checked_at = "", {}, clock.now()
    account.save()
    budgets.believe(account)
    audit.record(by=by, did="account.connected" if fresh else "account.reconnected", to=account)
    transaction.on_commit(lambda: account_connected.send(Account, account=account))
    return account


def _describe(account: Account, profile: Profile) -> None:
    account.name, account.handle, account.url = profile.name[:200], profile.handle[:200], profile.url[:500]
    account.kind, account.limits, account.avatar_source = profile.kind, dict(profile.limits), profile.avatar_url


def _store(account: Account, signed_in: SignedIn) -> None:
    seal_credentials(account, signed_in.credentials)
    account.scopes = list(signed_in.scopes) or account.scopes
    account.expires_at = signed_in.expires_at
    account.refresh_at = _when_to_refresh(account, signed_in.expires_at)
    account.reconnect_by = _reconnect_by(account, signed_in)
    account.refreshing_until = None


def _reconnect_by(account: Account, signed_in: SignedIn) -> datetime | None:
    """What the network says of the end of all renewing; else the token's own end, when nothing renews it."""
    if account.refresh_at is None:
        return signed_in.reconnect_by or signed_in.expires_at
    return signed_in.reconnect_by


def _when_to_refresh(account: Account, expires_at: datetime | None) -> datetime | None:
    refreshes = issubclass(registry.connector(account.network), Refreshes)
    if expires_at is None or not refreshes:
        return None
    return expires_at - (expires_at - clock.now()) * REFRESH_BEFORE_END


@transaction.atomic
def pause(*, account: Account, by: Member) -> None:
    """Nothing goes out from it and nothing is read until it is resumed; what is planned stays planned."""
    by.must("connect", account)
    _set_state(account, Account.State.PAUSED, by=by, did="account.paused", only=(Account.State.CONNECTED,))


@transaction.atomic
def resume(*, account: Account, by: Member) -> None:
    by.must("connect", account)
    _set_state(account, Account.State.CONNECTED, by=by, did="account.resumed", only=(Account.State.PAUSED,))
    transaction.on_commit(lambda: account_connected.send(Account, account=account))


@transaction.atomic
def remove(*, account: Account, by: Member) -> None:
    """Takes the account out of the workspace and forgets its credentials. Its posts and receipts stay as proof."""
    by.must("connect", account)
    account.sealed_credentials = b""
    account.refresh_at = account.expires_at = account.reconnect_by = account.refreshing_until = None
    forgotten = ["sealed_credentials", "refresh_at", "expires_at", "reconnect_by", "refreshing_until"]
    account.save(update_fields=forgotten)
    _set_state(account, Account.State.REMOVED, by=by, did="account.removed")
    transaction.on_commit(lambda: account_disconnected.send(Account, account=account))


def _set_state(
    account: Account, state: Account.State, *, by: Member, did: str, only: tuple[Account.State, ...] = ()
) -> None:
    rows = Account.objects.filter(pk=account.pk)
    if only:
        rows = rows.filter(state__in=only)
    if rows.update(state=state):
        account.state = state
        audit.record(by=by, did=did, to=account)


async def revoke(account: Account) -> None:
    """Tells the network to forget our token, before ``remove``. A network that does not answer changes nothing.

    A sign-in that other accounts came from stays theirs: the network would take it from all of them.
    """
    if await in_thread(_serves_others, account):
        return
    async with session(connections=1) as http:
        try:
            connector = await in_thread(connector_for, account, http)
            if isinstance(connector, Revokes):
                await connector.revoke()
        except (NetworkError, CannotOpen):
            return


def _serves_others(account: Account) -> bool:
    """Whether the same lasting token speaks for other accounts too, of whatever client."""
    others = Account.objects.filter(network=account.network, server=account.server).exclude(pk=account.pk)
    mine = _lasting_token(account)
    return bool(mine) and any(_lasting_token(one) == mine for one in others.exclude(state=Account.State.REMOVED))


def _lasting_token(account: Account) -> str:
    try:
        return open_credentials(account).get("refresh_token", "")
    except CannotOpen:
        return ""


@transaction.atomic
def disconnect(account: Account, because: NetworkError) -> None:
    """The token is dead: say so on the account, and tell the people who can reconnect it. Once per breakage.

    Nothing when the account has another token by now than the one that was tried: somebody connected it again.
    """
    alive = (Account.State.CONNECTED, Account.State.PAUSED)
    tried = bytes(account.sealed_credentials)
    broken = Account.objects.filter(pk=account.pk, state__in=alive, sealed_credentials=tried).update(
        state=Account.State.BROKEN,
        problem=because.sentence,
        problem_facts=because.facts,
        refresh_at=None,
        refreshing_until=None,
    )
    if not broken:
        return
    account.state, account.problem, account.problem_facts = Account.State.BROKEN, because.sentence, because.facts
    audit.record(by=None, did="account.broken", to=account, workspace=account.workspace_id, why=because.sentence)
    notices.tell(
        notices.members_who_may(account.workspace_id, "connect"),
        workspace=account.workspace_id,
        kind="account.broken",
        key=f"account.broken:{account.pk}:{clock.now():%Y-%m-%dT%H:%M:%S}",
        facts={"account": account.name, "network": registry.connector(account.network).name},
        path=f"accounts/{account.pk}/",
        urgent=True,
    )
    transaction.on_commit(lambda: account_disconnected.send(Account, account=account))


def note_health(account: Account, profile: Profile) -> None:
    """Its network answered well: name, limits and the moment are kept, and what is left of its posts."""
    _describe(account, profile)
    account.checked_at, account.problem, account.problem_facts = clock.now(), "", {}
    told = ["name", "handle", "url", "kind", "limits", "avatar_source"]
    account.save(update_fields=[*told, "checked_at", "problem", "problem_facts"])
    budgets.believe(account)


@transaction.atomic
def keep_limits(account: Account, told: Json) -> bool:
    """What its network said of its limits meanwhile, over what it had said. Whether it is anything new."""
    row = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    limits = {**row.limits, **told}
    if limits == row.limits:
        return False
    Account.objects.filter(pk=account.pk).update(limits=limits)
    account.limits = limits
    return True


def note_problem(account: Account, problem: NetworkError) -> None:
    """A passing trouble: shown on the account, which stays connected."""
    Account.objects.filter(pk=account.pk).update(problem=problem.sentence, problem_facts=problem.facts)


async def check_health(account: Account) -> None:
    """Asks the network who we are there. Only a dead token disconnects."""
    async with session(connections=1) as http:
        try:
            connector = await in_thread(connector_for, account, http)
            if isinstance(connector, KnowsItself):
                await in_thread(note_health, account, await connector.whoami())
        except SignInAgain as exc:
            await in_thread(disconnect, account, exc)
        except NetworkError as exc:
            await in_thread(note_problem, account, exc)
        except CannotOpen:
            await in_thread(disconnect, account, _cannot_open())


def check_soon(accounts: Iterable[Account]) -> None:
    """With the next sweep: somebody says that the token is dead, and only the network itself is believed."""
    Account.objects.filter(pk__in=[account.pk for account in accounts]).update(checked_at=None)


def _cannot_open() -> SignInAgain:
    return SignInAgain("This installation cannot open the stored sign-in (the sealing key changed). Connect it again.")


def claim_for_refresh(account_id: int) -> Account | None:
    """Takes the lease on an account's token, or None when another has it. A dead holder's lease runs out."""
    now = clock.now()
    free = Q(refreshing_until=None) | Q(refreshing_until__lt=now)
    until = now + REFRESH_LEASE
    won = Account.objects.filter(free, pk=account_id, state__in=[Account.State.CONNECTED, Account.State.PAUSED]).update(
        refreshing_until=until
    )
    return Account.objects.filter(pk=account_id, refreshing_until=until).first() if won else None


async def refresh_token(account_id: int) -> bool:
    """Trades an account's token for a fresh one before it runs out. Returns whether it was done.

    Only a permanent refusal disconnects the account; an outage leaves it connected, to be tried again.
    """
    account = await in_thread(claim_for_refresh, account_id)
    if account is None:
        return False
    async with session(connections=1) as http:
        try:
            connector = cast(Refreshes, await in_thread(connector_for, account, http))
            signed_in = await connector.refresh()
        except SignInAgain as exc:
            await in_thread(disconnect, account, exc)
        except CannotOpen:
            await in_thread(disconnect, account, _cannot_open())
        except NetworkError as exc:
            await in_thread(_refresh_later, account, exc)
        else:
            return await in_thread(store_token, account, signed_in)
    return False


def store_token(account: Account, signed_in: SignedIn) -> bool:
    """Keeps the fresh pair. What the network left out of its answer stays as it was.

    False, and nothing is kept, when somebody connected the account again or removed it meanwhile.
    """
    row = _as_claimed(account)
    merged: Mapping[str, str] = {**open_credentials(account), **signed_in.credentials}
    seal_credentials(account, merged)
    account.expires_at = signed_in.expires_at
    account.refresh_at = _when_to_refresh(account, signed_in.expires_at)
    account.reconnect_by = _reconnect_by(account, signed_in) or account.reconnect_by
    account.refreshing_until = None
    fresh = ("sealed_credentials", "expires_at", "refresh_at", "reconnect_by", "refreshing_until")
    return bool(row.update(**{name: getattr(account, name) for name in fresh}))


def _as_claimed(account: Account) -> QuerySet[Account]:
    """The account's row while the lease on its token is still ours: connecting and removing it take that away."""
    return Account.objects.filter(pk=account.pk, refreshing_until=account.refreshing_until)


def _refresh_later(account: Account, problem: NetworkError) -> None:
    _as_claimed(account).update(
        problem=problem.sentence,
        problem_facts=problem.facts,
        refresh_at=problem.not_before or clock.now() + RETRY_REFRESH,
        refreshing_until=None,
    )


def seal_everything_again() -> int:
    """Seals every secret under the newest key, row by row; safe to stop and run again. Returns how many it sealed."""
    done = seal_again()
    for account in Account.objects.exclude(sealed_credentials=b"").iterator():
        context, sealed = f"account:{account.pk}", bytes(account.sealed_credentials)
        if not sealer().is_current(sealed):
            again = sealer().seal(sealer().open(sealed, context=context), context=context)
            # Only if nobody refreshed it meanwhile: their value is newer, and sealed under the new key already.
            done += Account.objects.filter(pk=account.pk, sealed_credentials=sealed).update(sealed_credentials=again)
    for app in NetworkApp.objects.all():
        context, sealed = f"network_app:{app.network}:{app.server}", bytes(app.sealed_keys)
        if not sealer().is_current(sealed):
            again = sealer().seal(sealer().open(sealed, context=context), context=context)
            done += NetworkApp.objects.filter(pk=app.pk, sealed_keys=sealed).update(sealed_keys=again)
    return done


def logins_of(network: str) -> dict[str, str]:
    """The addresses that an app of our own at the vendor is for, by a word; empty where none is needed.

    Raises KeyError for a network that we do not speak.
    """
    known: Mapping[str, str] = getattr(registry.connector(network), "logins", {})
    stand_in = settings.NETWORKS.get(network, "")
    if not stand_in:
        return dict(known)
    return {word: f"{stand_in}/{word}" if nth else stand_in for nth, word in enumerate(known)}


def lacks_app(network: str) -> bool:
    """Whether nobody can sign in there yet: its vendor wants an app of our own, and no keys of one were entered."""
    logins = logins_of(network)
    return bool(logins) and not NetworkApp.objects.filter(network=network, server__in=logins.values()).exists()


def more_keys_of(network: str) -> tuple[Option, ...]:
    """What the vendor gives an app beside a client id and a secret."""
    found: tuple[Option, ...] = getattr(registry.connector(network), "more_keys", ())
    return found


def permits_of(network: str, server: str) -> tuple[Permit, ...]:
    """What the operator may switch on for our app of a login, by its address: permissions that few need."""
    words = {address: word for word, address in logins_of(network).items()}
    found: tuple[Permit, ...] = getattr(registry.connector(network), "permits", ())
    return tuple(one for one in found if one.login == words.get(server))


@transaction.atomic
def enter_app(
    *,
    network: str,
    server: str,
    client_id: str,
    client_secret: str,
    by: User,
    extra: Mapping[str, str] | None = None,
) -> NetworkApp:
    """Keeps the keys of the app that the operator made at a vendor, in place of older ones. Raises NotAllowed.

    extra: what else the vendor gave, by the names of ``more_keys_of``

    What was switched on for the app stays so.
    """
    if not by.is_operator:
        raise NotAllowed("enter_app")
    before = app_keys(network, server)
    kept = {one.name: ON for one in permits_of(network, server) if before is not None and before.extra.get(one.name)}
    keys = AppKeys(client_id=client_id.strip(), client_secret=client_secret.strip(), extra={**(extra or {}), **kept})
    app = seal_app_keys(network, server, keys)
    audit.record(by=by, did="network_app.entered", to=app, label=str(app))
    return app


@transaction.atomic
def permit(*, app: NetworkApp, names: Collection[str], by: User) -> None:
    """What sign-ins with the app ask for from now on beside the usual: of ``permits_of``, by name; all else is off.

    Raises NotAllowed.
    """
    if not by.is_operator:
        raise NotAllowed("enter_app")
    keys = app_keys(app.network, app.server)
    assert keys is not None
    offered = {one.name for one in permits_of(app.network, app.server)}
    others = {name: value for name, value in keys.extra.items() if name not in offered}
    wanted = sorted(offered & set(names))
    seal_app_keys(app.network, app.server, replace(keys, extra={**others, **dict.fromkeys(wanted, ON)}))
    audit.record(by=by, did="network_app.permits", to=app, label=str(app), permits=wanted)


def server_of(network: str, typed: str = "") -> str:
    """The base address to talk to: what the person typed, else the operator's setting, else the vendor's own.

    Raises CannotConnect when a server has to be named and is not, or is none.
    """
    typed, ours = typed.strip(), settings.NETWORKS.get(network, "")
    if typed in logins_of(network).values():
        return typed
    if typed and typed.rstrip("/") != ours:
        return _origin(typed)
    server: str = ours or registry.connector(network).default_server
    if not server:
        raise CannotConnect(_("Name the server, such as mastodon.social."))
    return server


def _origin(typed: str) -> str:
    """``Mastodon.social``, ``@me@mastodon.social`` and ``https://mastodon.social/@me`` are one server.

    Plain http is for the inner places that the operator named: a token never crosses the internet in the open.
    """
    if "://" not in typed:
        typed = f"https://{typed.rsplit('@', 1)[-1] if '/' not in typed else typed}"
    try:
        parts = urlsplit(typed)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:
        host, port = "", None
    if not host or " " in host or parts.scheme not in ("http", "https") or parts.username is not None:
        raise CannotConnect(_("This is not a server's address. Type it as in mastodon.social."))
    if parts.scheme == "http" and not Guard(settings.ALLOWED_HOSTS_OUT).allows_name(host, port or 80):
        raise CannotConnect(_("Only servers with https can be used: anybody on the way could read the sign-in."))
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{port}" if port else f"{parts.scheme}://{shown}"


@transaction.atomic
def forget_app(*, app: NetworkApp, by: User) -> None:
    """Drops our registration at a vendor; the next sign-in there makes a fresh one. Raises NotAllowed."""
    if not by.is_operator:
        raise NotAllowed("forget_app")
    audit.record(by=by, did="network_app.forgotten", to=app, label=str(app))
    app.delete()


def moved_to(account: Account) -> str:
    """The new id under which its network said that it knows the account now, or "" (Telegram's groups grow up)."""
    return str(account.problem_facts.get("new_chat_id", ""))


def why(problem: NetworkError) -> str:
    """The network's trouble in the reader's language."""
    return in_words(problem.sentence, problem.facts)


WARN_BEFORE = (1, 3, 7, 14)  # days


def warn_of_endings() -> int:
    """Tells who can reconnect an account that it stops working in 14, 7, 3 and 1 days, once each. Returns how many."""
    warned = 0
    for account in queries.ending_soon(Account.objects.all()):
        assert account.reconnect_by is not None
        left = account.reconnect_by - clock.now()
        step = next(days for days in WARN_BEFORE if left <= timedelta(days=days))
        notices.tell(
            notices.members_who_may(account.workspace_id, "connect"),
            workspace=account.workspace_id,
            kind="account.ending",
            key=f"account.ending:{account.pk}:{account.reconnect_by:%Y%m%dT%H%M}:{step}",
            facts={
                "account": account.name,
                "network": registry.connector(account.network).name,
                "day": account.reconnect_by.date().isoformat(),
            },
            path=f"accounts/{account.pk}/",
            urgent=True,
        )
        warned += 1
    return warned
