"""Who the program is here, and what it may do."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_noop as _
from ninja import Router
from pydantic import BaseModel, Field

from regie.api.errors import COMMON
from regie.api.tokens import ApiRequest
from regie.people.permissions import MAY

router = Router(tags=["workspace"])


class WorkspaceOut(BaseModel):
    id: int
    name: str
    slug: str
    zone: str
    language: str


class Me(BaseModel):
    name: str
    email: str
    role: str
    may: list[str] = Field(description="The verbs that the role gives.")
    workspace: WorkspaceOut
    token: str = Field(description="The token's name.")
    expires_at: datetime | None


@router.get("/me", response={200: Me, **COMMON}, summary=_("Who this token acts as"))
def me(request: ApiRequest) -> Me:
    """The member, the one workspace that the token reaches, and what the role allows there."""
    caller = request.auth
    member, workspace = caller.member, caller.member.workspace
    return Me(
        name=member.user.name,
        email=member.user.email,
        role=member.role,
        may=[verb for verb in MAY if member.may(verb)],
        workspace=WorkspaceOut(
            id=workspace.pk, name=workspace.name, slug=workspace.slug, zone=workspace.zone, language=workspace.language
        ),
        token=caller.token.name,
        expires_at=caller.token.expires_at,
    )
