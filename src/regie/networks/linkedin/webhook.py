"""News of Pages that LinkedIn brings to approved apps. Source: learn.microsoft.com, "Webhook validation" and
"Organization social action notifications".
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

from regie.networks.data import AppKeys, Login, Messages
from regie.networks.errors import Refused
from regie.networks.linkedin.reading import GONE, as_incoming, comment_of, readable
from regie.networks.linkedin.wire import NETWORK, Wire, key

HEADER = "x-li-signature"
PREFIX = b"hmacsha256="
EVENT = "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS"


def sign(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def challenge(app: AppKeys, query: Mapping[str, str]) -> str | None:
    """LinkedIn asks so at the beginning, and every two hours; three wrong answers and it brings nothing more."""
    code = query.get("challengeCode", "")
    if not code or not app.client_secret:
        return None
    return json.dumps({"challengeCode": code, "challengeResponse": sign(app.client_secret, code.encode())})


def verify(app: AppKeys, *, body: bytes, headers: Mapping[str, str]) -> None:
    """The signature over the bytes as they came, behind a word that only stands in what is signed. Raises Refused."""
    given = next((value for name, value in headers.items() if name.lower() == HEADER), "")
    wanted = sign(app.client_secret, PREFIX + body)
    if not app.client_secret or not hmac.compare_digest(given.encode(), wanted.encode()):
        raise Refused("This delivery is not signed by {network}.", network=NETWORK)


def concerns(body: bytes) -> frozenset[str]:
    return frozenset(str(one.get("organizationalEntity", "")) for one in _rows(body))


def _rows(body: bytes) -> Iterator[Mapping[str, Any]]:
    """Each notification. Raises Refused for what is no news of LinkedIn's; events of other kinds have no rows."""
    try:
        whole = json.loads(body)
    except ValueError:
        whole = None
    if not isinstance(whole, dict) or "type" not in whole:
        raise Refused("This delivery is no news of {network}'s.", network=NETWORK)
    if whole["type"] == EVENT:
        yield from (one for one in whole.get("notifications") or () if isinstance(one, dict))


def news(login: Login, *, body: bytes) -> Messages:
    """Comments and mentions. What cannot be read, or is new to us, is passed over: it stays in the delivery kept."""
    told = readable(row for row in _rows(body) if row.get("organizationalEntity") == login.remote_id)
    told.sort(key=lambda one: (one.last_modified_at, one.notification_id))
    found = (as_incoming(one, login.server) for one in told)
    return Messages(
        messages=tuple(one for one in found if one is not None and one.by.remote_id != login.remote_id),
        cursor="",
        gone=tuple(comment_of(one) for one in told if one.action == GONE),
    )


# Asking for it


async def subscribe(wire: Wire, *, application: str, webhook: str) -> None:
    """Nothing is asked where nothing can come: for a member, through an app whose number the operator did not enter, or
    one that LinkedIn did not approve for this. The same news is read besides."""
    path = _path(wire, application)
    if path and webhook:
        try:
            await wire.do("PUT", path, {"webhook": webhook})
        except Refused:
            return


async def unsubscribe(wire: Wire, *, application: str) -> None:
    if path := _path(wire, application):
        try:
            await wire.do("DELETE", path)
        except Refused:
            return


def _path(wire: Wire, application: str) -> str:
    member = str(wire.login.limits.get("member") or "")
    if not (wire.is_page and application and member):
        return ""
    named = {
        "developerApplication": f"urn:li:developerApplication:{application}",
        "user": member,
        "entity": wire.me,
        "eventType": EVENT,
    }
    return f"/rest/eventSubscriptions/({','.join(f'{name}:{key(urn)}' for name, urn in named.items())})"
