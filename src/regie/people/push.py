"""Notices to browsers: who subscribed, with which keys we sign, and the sending, each notice once.

A push service that answers 404 or 410 says that the browser is gone: it is forgotten. Trouble on the way is tried
again in the next round, as long as the notice is news.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

import aiohttp
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.templatetags.static import static
from django.utils import translation
from django.utils.translation import gettext as _

from regie.core import clock
from regie.core.errors import Problem
from regie.core.outside import Guard, session
from regie.core.push import Browser, Keys, Message, message, unb64
from regie.core.sealed import sealer
from regie.core.threads import in_thread
from regie.people.middleware import in_workspace
from regie.people.models import Notice, PushBrowser, PushKeys, User
from regie.people.notices import sentence

log = logging.getLogger(__name__)
CONTEXT = "push_keys"
TOO_OLD = timedelta(hours=6)  # a browser that was away this long finds it in the app
MOST_BROWSERS = 20  # of one person
LONGEST_TEXT = 500
CONNECTIONS = 10
AT_ONCE = 200


# Keys and browsers


def keys() -> Keys:
    """The installation's own, made at first use. Browsers subscribe to them: they last as long as it."""
    row = PushKeys.objects.first()
    if row is None:
        made = sealer().seal(Keys.new().private, context=CONTEXT)
        row, _new = PushKeys.objects.get_or_create(pk=1, defaults={"sealed_private": made})
    return Keys(sealer().open(bytes(row.sealed_private), context=CONTEXT))


def seal_again() -> int:
    """Seals the private key under the newest sealing key. Returns how many it sealed."""
    done = 0
    for row in PushKeys.objects.all():
        if not sealer().is_current(bytes(row.sealed_private)):
            private = sealer().open(bytes(row.sealed_private), context=CONTEXT)
            fresh = sealer().seal(private, context=CONTEXT)
            done += PushKeys.objects.filter(pk=row.pk, sealed_private=row.sealed_private).update(sealed_private=fresh)
    return done


@transaction.atomic
def subscribe(*, user: User, endpoint: str, p256dh: str, auth: str, name: str) -> PushBrowser:
    """A browser that wants to hear. The same one again is renewed, also when another person uses it now.

    Raises Problem for an address or keys that no browser gives.
    """
    _must_be_a_browsers(endpoint, p256dh, auth)
    row, _new = PushBrowser.objects.update_or_create(
        endpoint=endpoint, defaults={"user": user, "p256dh": p256dh, "auth": auth, "name": name[:120]}
    )
    old = PushBrowser.objects.filter(user=user).order_by("-created_at", "-pk").values_list("pk", flat=True)
    PushBrowser.objects.filter(pk__in=list(old[MOST_BROWSERS:])).delete()
    return row


def _must_be_a_browsers(endpoint: str, p256dh: str, auth: str) -> None:
    try:
        parts = urlsplit(endpoint)
        port = parts.port or 443
        point, secret = unb64(p256dh), unb64(auth)
    except ValueError:
        raise Problem(_("Your browser gave an address that we cannot use.")) from None
    named = Guard(settings.ALLOWED_HOSTS_OUT).allows_name(parts.hostname or "", port)
    secure = parts.scheme == "https" or (parts.scheme == "http" and named)
    fits = len(endpoint) <= 1000 and len(point) == 65 and point[:1] == b"\x04" and len(secret) == 16
    if not (secure and parts.hostname and fits):
        raise Problem(_("Your browser gave an address that we cannot use."))


def unsubscribe(*, user: User, browser_id: int) -> None:
    PushBrowser.objects.filter(user=user, pk=browser_id).delete()


# Sending


@dataclass(slots=True)
class _Parcel:
    """One notice on its way to each browser of its person."""

    notice_id: int
    messages: Sequence[tuple[PushBrowser, Message]] = field(default_factory=tuple)


async def push_urgent() -> int:
    """Sends what waits. Marked before it is sent, so a crash loses one rather than showing it twice.

    Returns how many notices reached a browser's push service.
    """
    parcels = await in_thread(_take)
    if not parcels:
        return 0
    async with session(settings.ALLOWED_HOSTS_OUT, connections=CONNECTIONS) as http:
        return sum([await _deliver(http, parcel) for parcel in parcels])


@transaction.atomic
def _take() -> list[_Parcel]:
    waiting = list(
        Notice.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(urgent=True, pushed_at=None, read_at=None, created_at__gt=clock.now() - TOO_OLD)
        .filter(Exists(PushBrowser.objects.filter(user=OuterRef("user"))), user__is_active=True, user__by_push=True)
        .select_related("user", "workspace")
        .order_by("created_at")[:AT_ONCE]
    )
    Notice.objects.filter(pk__in=[notice.pk for notice in waiting]).update(pushed_at=clock.now())
    browsers: dict[int, list[PushBrowser]] = defaultdict(list)
    for browser in PushBrowser.objects.filter(user__in=[notice.user_id for notice in waiting]):
        browsers[browser.user_id].append(browser)
    ours = keys() if waiting else Keys(b"")
    return [_parcel(notice, browsers[notice.user_id], ours) for notice in waiting]


def _parcel(notice: Notice, browsers: Sequence[PushBrowser], ours: Keys) -> _Parcel:
    with translation.override(notice.user.language):
        said = sentence(notice)
    payload = {
        "title": notice.workspace.name,
        "body": said[:LONGEST_TEXT],
        "url": in_workspace(notice.path, notice.workspace.slug),
        "tag": f"notice-{notice.pk}",
        "icon": static("regie/icon-192.png"),
    }
    body = json.dumps(payload, ensure_ascii=False).encode()
    made = []
    for browser in browsers:
        to = Browser(browser.endpoint, unb64(browser.p256dh), unb64(browser.auth))
        try:
            made.append((browser, message(body, to=to, by=ours, subject=subject(), now=clock.now(), ttl=TOO_OLD)))
        except ValueError:  # a point that is not on the curve
            browser.delete()
    return _Parcel(notice.pk, made)


def subject() -> str:
    """Whom a push service may write to about us."""
    if settings.PUBLIC_URL.startswith("https://"):
        return str(settings.PUBLIC_URL)
    return f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1] or 'regie@localhost'}"


async def _deliver(http: aiohttp.ClientSession, parcel: _Parcel) -> int:
    """1 when at least one browser's service took it. When none did for now, it is tried again."""
    reached, troubled = 0, 0
    for browser, made in parcel.messages:
        status = await _post(http, browser.endpoint, made)
        if status in (404, 410):
            await in_thread(browser.delete)
        elif 200 <= status < 300:
            reached += 1
        elif status == 0 or status == 429 or status >= 500:
            troubled += 1
        else:
            log.warning("A push service refused a message with %d.", status)
    if troubled and not reached:
        await in_thread(Notice.objects.filter(pk=parcel.notice_id).update, pushed_at=None)
    return 1 if reached else 0


async def _post(http: aiohttp.ClientSession, endpoint: str, made: Message) -> int:
    """The answer's status; 0 when there was none."""
    try:
        async with http.post(endpoint, data=made.body, headers=made.headers, allow_redirects=False) as reply:
            return reply.status
    except (aiohttp.ClientError, OSError, TimeoutError):
        return 0
