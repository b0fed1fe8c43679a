"""News that Meta brings to one address for all accounts of an app. Source: webhooks guide of the Instagram Platform."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from regie.networks.data import AppKeys
from regie.networks.errors import Refused

HEADER = "x-hub-signature-256"
MILLISECONDS = 10**11  # from here on a time cannot be in seconds: that would be the year 5138


def verify(app: AppKeys, *, body: bytes, headers: Mapping[str, str], network: str) -> None:
    """The signature over the bytes as they came, with our app's secret. Raises Refused."""
    given = next((value for name, value in headers.items() if name.lower() == HEADER), "")
    wanted = "sha256=" + hmac.new(app.client_secret.encode(), body, hashlib.sha256).hexdigest()
    if not app.client_secret or not hmac.compare_digest(given.encode(), wanted.encode()):
        raise Refused("This delivery is not signed by {network}.", network=network)


def entries(body: bytes, *, network: str) -> Iterator[Mapping[str, Any]]:
    """Each entry: of one account. Raises Refused for what is no news of Meta's."""
    try:
        whole = json.loads(body)
    except ValueError:
        raise Refused("This delivery is no news of {network}'s.", network=network) from None
    for one in whole if isinstance(whole, list) else [whole]:
        if not isinstance(one, dict) or not isinstance(one.get("entry"), list):
            raise Refused("This delivery is no news of {network}'s.", network=network)
        yield from (entry for entry in one["entry"] if isinstance(entry, dict) and entry.get("id"))


def concerns(body: bytes, *, network: str) -> frozenset[str]:
    """The ids of the accounts that it is about."""
    return frozenset(str(entry["id"]) for entry in entries(body, network=network))


def moment(told: Any) -> datetime:
    """When it was, as Meta tells it: in seconds beside ``changes``, in milliseconds beside ``messaging`` and in it.

    Raises ValueError or TypeError for what is no time.
    """
    since = int(told or 0)
    return datetime.fromtimestamp(since / 1000 if since > MILLISECONDS else since, UTC)


def changes(entry: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Field and value of each change; the field may stand beside it or, in examples, in the entry itself."""
    found = entry.get("changes") or ([entry] if "field" in entry else [])
    for change in found:
        if isinstance(change, dict) and isinstance(change.get("value"), dict):
            yield str(change.get("field", "")), change["value"]


def spoken(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Messages that people wrote; our own, which come back as echoes, are left out."""
    for one in entry.get("messaging") or ():
        message = one.get("message") if isinstance(one, dict) else None
        if isinstance(message, dict) and message.get("mid") and not message.get("is_echo"):
            yield one
