"""``Idempotency-Key``: a program that repeats a request gets the same answer, and nothing happens twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _
from ninja import Header, Status
from pydantic import BaseModel

from regie.api.errors import BadKey
from regie.api.models import Answered
from regie.api.services import REMEMBERED
from regie.api.tokens import ApiRequest
from regie.core import clock

T = TypeVar("T", bound=BaseModel)
LONGEST = 200
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=LONGEST,
        description="The same key again within a day gives the same answer, and nothing happens twice.",
    ),
]


def once(request: ApiRequest, key: str, kind: type[T], do: Callable[[], T], *, status: int = 200) -> Status[T]:
    """Does it, or, when this token used this key within a day, gives what was answered then.

    The key is kept in the transaction of what is done: a request that fails keeps none and may be tried again, and
    of two at once the second waits for the first. Raises BadKey when the key belongs to another request.
    """
    if not key:
        return Status(status, do())
    mark = _fingerprint(request)
    with transaction.atomic():
        token = request.auth.token
        Answered.objects.filter(token=token, key=key, at__lt=clock.now() - REMEMBERED).delete()
        row, fresh = Answered.objects.get_or_create(
            token=token, key=key, defaults={"workspace_id": token.workspace_id, "fingerprint": mark}
        )
        if fresh:
            done = do()
            row.status, row.answer = status, done.model_dump(mode="json")
            row.save(update_fields=["status", "answer"])
            return Status(status, done)
    if row.fingerprint != mark:
        raise BadKey(_("This Idempotency-Key was used for another request. Choose a new one for a new request."))
    return Status(row.status, kind.model_validate(row.answer))


def _fingerprint(request: ApiRequest) -> str:
    digest = hashlib.sha256(f"{request.method} {request.path}\n".encode())
    if request.FILES:  # the boundary differs each time, so what it holds counts
        for name, value in sorted(request.POST.items()):
            digest.update(f"{name}={value}\n".encode())
        for file in (one for name in sorted(request.FILES) for one in request.FILES.getlist(name)):
            digest.update(file.read())
            file.seek(0)
    else:
        digest.update(request.body)
    return digest.hexdigest()
