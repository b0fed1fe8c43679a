"""Signing in at a network: off to its page and back, or with what a person typed. State is used once and expires."""

from __future__ import annotations

import hashlib
import json
import re
import secrets as dice
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import urlsplit

import aiohttp
from django.conf import settings
from django.utils.translation import gettext as _

from regie.accounts.errors import CannotConnect, SignInOver
from regie.accounts.models import Account, SignInUnderWay
from regie.accounts.opening import app_keys, seal_app_keys
from regie.accounts.services import connect, logins_of, moved_to, server_of, why
from regie.accounts.talk import talk
from regie.core import clock
from regie.core.sealed import sealer
from regie.networks import registry
from regie.networks.data import AppKeys, Profile, SignedIn, SigningIn
from regie.networks.errors import NetworkError
from regie.networks.protocols import SignsInWithOAuth, SignsInWithSecret
from regie.people.models import Member, User

LASTS = timedelta(minutes=20)
SHORT = aiohttp.ClientTimeout(total=15)


def redirect_uri(network: str) -> str:
    """Where the vendor's page sends the browser back to: the exact address to register there."""
    base = settings.PUBLIC_URL
    if urlsplit(base).hostname == "localhost":
        base = base.replace("//localhost", "//127.0.0.1", 1)  # the loopback form that RFC 8252 and Bluesky ask for
    return f"{base}/accounts/callback/{network}/"


def begin(*, network: str, typed_server: str, hint: str, by: Member, account: Account | None = None) -> str:
    """Starts a sign-in and returns the vendor's page to send the browser to.

    Raises NotAllowed, and CannotConnect with a sentence when the server will not have us.
    """
    by.must("connect", account)
    kind = cast(type[SignsInWithOAuth], registry.connector(network))
    server = account.server if account else server_of(network, typed_server)

    async def go(http: aiohttp.ClientSession) -> tuple[AppKeys | None, SigningIn]:
        fresh = None
        keys = known
        if keys is None:
            keys = fresh = await kind.register(
                http, server=server, redirect_uri=redirect_uri(network), website=settings.PUBLIC_URL
            )
        started = await kind.start(http, server=server, app=keys, redirect_uri=redirect_uri(network), hint=hint)
        return fresh, started

    known = _known_keys(network, server)
    try:
        fresh, started = talk(go)
    except NetworkError as exc:
        raise CannotConnect(why(exc)) from exc
    if fresh is not None:
        seal_app_keys(network, server, _with_redirect(fresh, network))
    _remember(started, network=network, server=server, by=by, account=account)
    return started.url


def _known_keys(network: str, server: str) -> AppKeys | None:
    """Our registration there, unless it was made for another address of ours: then it is made again."""
    keys = app_keys(network, server)
    if keys is not None and keys.extra.get("redirect_uri", redirect_uri(network)) != redirect_uri(network):
        return None
    return keys


def _with_redirect(keys: AppKeys, network: str) -> AppKeys:
    return AppKeys(
        client_id=keys.client_id,
        client_secret=keys.client_secret,
        extra={**keys.extra, "redirect_uri": redirect_uri(network)},
    )


def _remember(started: SigningIn, *, network: str, server: str, by: Member, account: Account | None) -> None:
    SignInUnderWay.objects.filter(expires_at__lt=clock.now()).delete()
    hashed = _hash(started.state)
    SignInUnderWay.objects.create(
        state_hash=hashed,
        user=by.user,
        workspace=by.workspace,
        account=account,
        network=network,
        server=server,
        redirect_uri=redirect_uri(network),
        sealed_secrets=sealer().seal_json(started.secrets, context=f"sign_in:{hashed}"),
        expires_at=clock.now() + LASTS,
    )


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


INVENTED = "a-code-that-regie-made-up-to-see-whether-the-keys-are-taken"
KEYS_REFUSED = re.compile(  # RFC 6749, Meta's sentences, and what some say beside it
    rb"invalid_client|unauthorized_client|client[ _]secret|validating application|invalid platform app|"
    rb"invalid client|app id or secret|authentication failed",
    re.IGNORECASE,
)


def try_out(*, network: str, server: str, by: Member) -> None:
    """Asks a network, as a sign-in would, whether it answers and takes our registration; nobody is signed in.

    The secret of an app that a person entered is tried on a code that we invent: a network that knows the app refuses
    the code, and one that does not, the keys.
    Raises NotAllowed, CannotConnect.
    """
    by.must("connect")
    kind = registry.connector(network)
    where = server or server_of(network)

    async def go(http: aiohttp.ClientSession) -> int:
        page = where
        if known is not None and issubclass(kind, SignsInWithOAuth):
            started = await kind.start(http, server=where, app=known, redirect_uri=redirect_uri(network))
            page = started.url
        async with http.get(page, allow_redirects=False, timeout=SHORT) as reply:
            return reply.status

    known = _known_keys(network, where)
    name = kind.name
    try:
        status = talk(go)
        refused = known is not None and where in logins_of(network).values() and keys_refused(network, where, known)
    except NetworkError as exc:
        raise CannotConnect(why(exc)) from exc
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        raise CannotConnect(_("%(network)s could not be reached.") % {"network": name}) from exc
    if refused:
        raise CannotConnect(
            _("%(network)s does not take the app's keys: look at its ID and secret there, and enter them again.")
            % {"network": name}
        )
    if status >= 500 or (known is not None and status >= 400):
        raise CannotConnect(
            _("%(network)s answers, but not as it should (%(status)s). If it forgot us, forget the registration.")
            % {"network": name, "status": status}
        )


def keys_refused(network: str, server: str, app: AppKeys) -> bool:
    """Whether the vendor does not know this app by these keys. Of other trouble it says nothing: False."""
    kind = cast(type[SignsInWithOAuth], registry.connector(network))
    try:
        talk(
            lambda http: kind.finish(
                http,
                server=server,
                app=app,
                redirect_uri=redirect_uri(network),
                query={"code": INVENTED},
                secrets={"verifier": INVENTED},
            )
        )
    except NetworkError as exc:
        answer = exc.answer
        return answer is not None and (answer.status == 401 or KEYS_REFUSED.search(answer.body) is not None)
    return False


@dataclass(frozen=True, slots=True)
class CameBack:
    """A sign-in that succeeded, with the accounts it opened; or with ``choice``, when a person has to choose first."""

    workspace_slug: str
    accounts: tuple[Account, ...] = ()
    choice: str = ""


def finish(*, network: str, query: Mapping[str, str], user: User) -> CameBack:
    """The browser came back. The state must be ours, of this very person, unused and in time.

    Raises SignInOver, CannotConnect, NotAllowed.
    """
    hashed = _hash(query.get("state", ""))
    under_way = SignInUnderWay.objects.filter(
        state_hash=hashed, network=network, user=user, expires_at__gt=clock.now()
    ).first()
    if under_way is None or not SignInUnderWay.objects.filter(pk=under_way.pk).delete()[0]:
        raise SignInOver(_("This sign-in took too long or was used already. Start again."))
    by = Member.objects.select_related("workspace", "user").filter(workspace=under_way.workspace, user=user).first()
    if by is None:
        raise SignInOver(_("You no longer have a seat in the workspace that this account was meant for."))
    kind = cast(type[SignsInWithOAuth], registry.connector(network))
    keys = app_keys(network, under_way.server)
    if keys is None:
        raise SignInOver(_("This sign-in took too long or was used already. Start again."))
    secrets = sealer().open_json(bytes(under_way.sealed_secrets), context=f"sign_in:{hashed}")
    try:
        signed_in = talk(
            lambda http: kind.finish(
                http,
                server=under_way.server,
                app=keys,
                redirect_uri=under_way.redirect_uri,
                query=query,
                secrets=secrets,
            )
        )
    except NetworkError as exc:
        raise CannotConnect(why(exc), workspace_slug=by.workspace.slug) from exc
    if under_way.account is None and len(signed_in.profiles) > 1:
        return CameBack(by.workspace.slug, choice=_ask_which(signed_in, network=network, by=by))
    return CameBack(by.workspace.slug, _connect_all(network, signed_in, by=by, account=under_way.account))


def _ask_which(signed_in: SignedIn, *, network: str, by: Member) -> str:
    """Keeps what was signed in to, sealed and for a while. Returns the word under which it is found again."""
    choice = dice.token_urlsafe(24)
    found = json.dumps(asdict(signed_in), default=str)
    _remember(
        SigningIn(url="", state=choice, secrets={"found": found}), network=network, server="", by=by, account=None
    )
    return choice


@dataclass(frozen=True, slots=True)
class Choice:
    """What a sign-in opened, for the person who signed in to choose from."""

    row: SignInUnderWay
    signed_in: SignedIn

    @property
    def network(self) -> str:
        return self.row.network

    @property
    def profiles(self) -> tuple[Profile, ...]:
        return self.signed_in.profiles


def choice_of(choice: str, *, user: User) -> Choice:
    """Raises SignInOver when it is not this person's, is done already, or took too long."""
    hashed = _hash(choice)
    row = SignInUnderWay.objects.filter(state_hash=hashed, server="", user=user, expires_at__gt=clock.now()).first()
    if row is None:
        raise SignInOver(_("This sign-in took too long or was used already. Start again."))
    kept = json.loads(sealer().open_json(bytes(row.sealed_secrets), context=f"sign_in:{hashed}")["found"])
    ends = kept["expires_at"]
    return Choice(
        row,
        SignedIn(
            credentials=kept["credentials"],
            profiles=tuple(Profile(**profile) for profile in kept["profiles"]),
            expires_at=datetime.fromisoformat(ends) if ends else None,
            scopes=tuple(kept["scopes"]),
        ),
    )


def choose(choice: Choice, remote_ids: Collection[str]) -> CameBack:
    """Connects those that the person chose; the rest is forgotten. Raises SignInOver, NotAllowed."""
    by = (
        Member.objects.select_related("workspace", "user")
        .filter(workspace=choice.row.workspace, user=choice.row.user)
        .first()
    )
    if by is None:
        raise SignInOver(_("You no longer have a seat in the workspace that this account was meant for."))
    if not SignInUnderWay.objects.filter(pk=choice.row.pk).delete()[0]:
        raise SignInOver(_("This sign-in took too long or was used already. Start again."))
    chosen = tuple(profile for profile in choice.profiles if profile.remote_id in remote_ids)
    found = replace(choice.signed_in, profiles=chosen)
    return CameBack(by.workspace.slug, _connect_all(choice.network, found, by=by, account=None))


def with_secret(*, network: str, fields: Mapping[str, str], by: Member, account: Account | None = None) -> CameBack:
    """Connects with what a person typed. Raises CannotConnect, NotAllowed."""
    by.must("connect", account)
    kind = cast(type[SignsInWithSecret], registry.connector(network))
    server = account.server if account else server_of(network, fields.get("server", ""))
    try:
        signed_in = talk(lambda http: kind.sign_in(http, server=server, fields=fields))
    except NetworkError as exc:
        raise CannotConnect(why(exc)) from exc
    return CameBack(by.workspace.slug, _connect_all(network, signed_in, by=by, account=account))


def _connect_all(network: str, signed_in: SignedIn, *, by: Member, account: Account | None) -> tuple[Account, ...]:
    if account is None:
        return tuple(
            connect(network=network, profile=profile, signed_in=signed_in, by=by) for profile in signed_in.profiles
        )
    known_as = {account.remote_id, moved_to(account)} - {""}
    for profile in signed_in.profiles:
        if profile.remote_id in known_as:
            return (connect(network=network, profile=profile, signed_in=signed_in, by=by, again=account),)
    names = ", ".join(profile.handle or profile.name for profile in signed_in.profiles)
    raise CannotConnect(
        _("You signed in as %(found)s, but this account is %(wanted)s. Sign out there first, then try again.")
        % {"found": names, "wanted": account.handle or account.name}
    )
