"""Every error as one shape: ``{"error": code, "said": sentence, "details": more or null}``."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DataError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import BaseModel

from regie.core.errors import Changed, Problem
from regie.core.store import StoreAway
from regie.publishing.errors import NotReady

log = logging.getLogger(__name__)


class Mistake(BaseModel):
    """``error`` is for programs and never changes; ``said`` is for people, in the language of Accept-Language."""

    error: str
    said: str
    details: Any = None


class BadKey(Problem):
    """An ``Idempotency-Key`` that was used for another request, or is too long."""


class NetworkAway(Problem):
    """A network did not say what was asked of it: away, busy, or the account has to be connected again."""


class Theirs(Changed):
    """The post changed since it was read. ``theirs`` is what is there now."""

    def __init__(self, said: str, theirs: BaseModel) -> None:
        super().__init__(said)
        self.theirs = theirs


CODES: tuple[tuple[type[Problem], int, str], ...] = (
    (NotReady, 422, "not_ready"),
    (BadKey, 422, "key_reused"),
    (Changed, 409, "changed"),
    (NetworkAway, 503, "network_away"),
    (StoreAway, 503, "store_away"),
    (Problem, 422, "problem"),
)

COMMON = {401: Mistake, 403: Mistake, 404: Mistake, 409: Mistake, 422: Mistake, 503: Mistake}


def register(api: NinjaAPI) -> None:
    """Makes each error a reply; one that we did not expect reaches the log as well."""

    def reply(request: HttpRequest, status: int, code: str, said: str, details: Any = None) -> HttpResponse:
        mistake = Mistake(error=code, said=said, details=details)
        return api.create_response(request, mistake.model_dump(mode="json"), status=status)

    @api.exception_handler(Problem)
    def problem(request: HttpRequest, exc: Problem) -> HttpResponse:
        status, code = next((status, code) for kind, status, code in CODES if isinstance(exc, kind))
        return reply(request, status, code, exc.said, details_of(exc))

    @api.exception_handler(PermissionDenied)
    def not_allowed(request: HttpRequest, exc: PermissionDenied) -> HttpResponse:
        return reply(request, 403, "not_allowed", str(exc))

    @api.exception_handler(Http404)
    def not_found(request: HttpRequest, exc: Http404) -> HttpResponse:
        return reply(request, 404, "not_found", _("There is nothing here, or it is not yours to see."))

    @api.exception_handler(AuthenticationError)
    def no_token(request: HttpRequest, exc: AuthenticationError) -> HttpResponse:
        said = _("A valid token is needed: make one in the settings and send it as “Authorization: Bearer …”.")
        answer = reply(request, 401, "token_needed", said)
        answer["WWW-Authenticate"] = "Bearer"
        return answer

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, exc: ValidationError) -> HttpResponse:
        return reply(request, 422, "invalid", _("The request is not as described: see the details."), plain(exc.errors))

    @api.exception_handler(DataError)
    def unreadable(request: HttpRequest, exc: DataError) -> HttpResponse:
        return reply(
            request, 422, "invalid", _("A value cannot be kept: a number too large, or a sign nobody can read.")
        )

    @api.exception_handler(HttpError)
    def other(request: HttpRequest, exc: HttpError) -> HttpResponse:
        return reply(request, exc.status_code, "invalid", _("The request cannot be read."), str(exc))

    @api.exception_handler(OperationalError)
    def database_away(request: HttpRequest, exc: OperationalError) -> HttpResponse:
        said = _("The database does not answer: nothing was saved, nothing was lost. Try again in a moment.")
        answer = reply(request, 503, "database_away", said)
        answer["Retry-After"] = "10"
        return answer

    @api.exception_handler(Exception)
    def fault(request: HttpRequest, exc: Exception) -> HttpResponse:
        log.error("%s %s failed.", request.method, request.path, exc_info=exc)
        return reply(request, 500, "fault", _("Something went wrong here, and it is in the log of this installation."))


def details_of(exc: Problem) -> Any:
    if isinstance(exc, Theirs):
        return {"theirs": exc.theirs.model_dump(mode="json")}
    if isinstance(exc, NotReady):
        return [{"account": variant.account_id, "said": list(said)} for variant, said in exc.reasons.items()]
    return None


def plain(errors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where and what, without what was sent (it may be a secret, or no JSON)."""
    return [{"where": [str(one) for one in error["loc"]], "said": error["msg"]} for error in errors]
