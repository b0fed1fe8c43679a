"""Tokens: made, used, revoked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from regie.api.models import Answered, ApiToken
from regie.core import clock
from regie.people import audit
from regie.people.errors import NotAllowed
from regie.people.models import Member

PREFIX = "regie_"  # so that a token found in a public place can be told from other secrets
REMEMBERED = timedelta(hours=24)
USED = timedelta(minutes=1)  # one write a minute is enough to say when a token was last used


@transaction.atomic
def create_token(*, name: str, by: Member, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
    """A token that acts as ``by``, and its secret, which nobody can ever read again. Every member may have some."""
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        workspace_id=by.workspace_id,
        member=by,
        name=name.strip()[:120],
        token_hash=hashed(secret),
        expires_at=expires_at,
    )
    audit.record(by=by, did="token.created", to=token)
    return token, secret


@transaction.atomic
def revoke_token(token: ApiToken, *, by: Member) -> None:
    """Nothing is opened by it any more. One's own, or anybody's in the workspace for who manages people."""
    if token.member_id != by.pk:
        by.must("manage_people", token)
    if token.workspace_id != by.workspace_id:
        raise NotAllowed("manage_people", role=by.role)
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=clock.now()):
        audit.record(by=by, did="token.revoked", to=token)


def token_behind(secret: str) -> ApiToken | None:
    """The token, when it is known, not over, and its member may still sign in; notes that it was used."""
    now = clock.now()
    token = (
        ApiToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), token_hash=hashed(secret), revoked_at=None)
        .filter(member__user__is_active=True)
        .select_related("member__user", "member__workspace")
        .first()
    )
    if token is not None and (token.last_used_at is None or token.last_used_at <= now - USED):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def hashed(secret: str) -> str:
    """A secret of 256 random bits needs no slow hash."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def forget_answers() -> int:
    """Drops the answers that are older than a day. Returns how many."""
    return Answered.objects.filter(at__lt=clock.now() - REMEMBERED).delete()[0]
