"""Who is asking: ``Authorization: Bearer regie_...``. No cookie counts here, so no page can borrow a person's seat."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from ninja.security import HttpBearer

from regie.api import services
from regie.api.models import ApiToken
from regie.people.models import Member
from regie.people.scope import Scope


@dataclass(frozen=True, slots=True)
class Caller:
    """A program, the member it acts as, and the only workspace it can reach."""

    token: ApiToken
    member: Member
    scope: Scope


class ApiRequest(HttpRequest):
    """A request that was let in."""

    auth: Caller


class Bearer(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        found = services.token_behind(token)
        return Caller(found, found.member, Scope.for_member(found.member)) if found else None
