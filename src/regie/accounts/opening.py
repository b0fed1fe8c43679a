"""From a connected account to a connector that speaks for it: the only place where credentials are opened."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
from django.conf import settings

from regie.accounts.models import Account, NetworkApp
from regie.core import outside
from regie.core.sealed import sealer
from regie.networks import registry
from regie.networks.capabilities import Capabilities
from regie.networks.data import AppKeys, Login
from regie.networks.protocols import Connector


def session(*, connections: int = 100) -> aiohttp.ClientSession:
    """A guarded session for talking to networks. One per process or per job; close it after use."""
    return outside.session(settings.ALLOWED_HOSTS_OUT, connections=connections)


def capabilities_of(account: Account) -> Capabilities:
    """What the account can do, with what its own server said."""
    return registry.connector(account.network).can_on(account.limits)


def login_of(account: Account) -> Login:
    """Opens the account's credentials. Raises sealed.CannotOpen."""
    return Login(
        server=account.server,
        remote_id=account.remote_id,
        credentials=open_credentials(account),
        app=app_keys(account.network, account.server),
        limits=account.limits,
    )


def connector_for(account: Account, http: aiohttp.ClientSession) -> Connector:
    """Touches the database (network app) and opens secrets: call it from sync code or through ``in_thread``."""
    return registry.connector(account.network)(http, login_of(account))


def open_credentials(account: Account) -> dict[str, str]:
    return sealer().open_json(bytes(account.sealed_credentials), context=f"account:{account.pk}")


def seal_credentials(account: Account, credentials: Mapping[str, str]) -> None:
    """Puts the sealed credentials on the row (already saved, so that it has a number); the caller saves it."""
    account.sealed_credentials = sealer().seal_json(credentials, context=f"account:{account.pk}")


def app_keys(network: str, server: str) -> AppKeys | None:
    """Our registration at the vendor for this server, or for the whole network."""
    app = NetworkApp.objects.filter(network=network, server__in=(server, "")).order_by("-server").first()
    if app is None:
        return None
    keys = sealer().open_json(bytes(app.sealed_keys), context=f"network_app:{app.network}:{app.server}")
    return AppKeys(client_id=app.client_id, client_secret=keys.pop("client_secret", ""), extra=keys)


def seal_app_keys(network: str, server: str, keys: AppKeys) -> NetworkApp:
    """Keeps a registration, in place of an older one."""
    sealed = sealer().seal_json(
        {"client_secret": keys.client_secret, **keys.extra}, context=f"network_app:{network}:{server}"
    )
    app, _ = NetworkApp.objects.update_or_create(
        network=network, server=server, defaults={"client_id": keys.client_id, "sealed_keys": sealed}
    )
    return app
