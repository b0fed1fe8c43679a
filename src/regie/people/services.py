"""Workspaces, members and invitations: one verb a function; each records itself in the audit trail."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.text import slugify
from django.utils.translation import gettext as _

from regie.core import clock
from regie.people import audit, push
from regie.people.adapter import MFAAdapter
from regie.people.errors import AlreadyHere, ForSomebodyElse, InvitationOver, LastOwner, NotAllowed
from regie.people.models import Invitation, Member, User, Workspace
from regie.people.permissions import Role

INVITATION_LASTS = timedelta(days=7)
SEALED_IN_MFA = ("secret", "seed", "migrated_codes")


def is_first_start() -> bool:
    """Whether nobody is here yet: the first person to come becomes the owner."""
    return not User.objects.exists()


@transaction.atomic
def create_first_owner(*, email: str, name: str, password: str, workspace: str, zone: str, language: str) -> Member:
    """The operator, their first workspace and their seat. Raises NotAllowed when somebody was faster."""
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("LOCK TABLE people_user IN SHARE ROW EXCLUSIVE MODE")  # two browsers at a first start: one wins
    if not is_first_start():
        raise NotAllowed("create_first_owner")
    user = _new_user(email=email, password=password, name=name, zone=zone, language=language, is_operator=True)
    return create_workspace(name=workspace, zone=zone, language=language, by=user)


def _new_user(*, email: str, password: str, name: str, **fields: Any) -> User:
    """Raises ValidationError when the password is too weak."""
    validate_password(password, User(email=email, name=name))
    return User.objects.create_user(email, password, name=name.strip(), **fields)


def person_with(email: str) -> User | None:
    """Who signs in with this address: their own, or another one that they proved to have."""
    proven = Q(emailaddress__email__iexact=email, emailaddress__verified=True)
    return User.objects.filter(Q(email__iexact=email) | proven).order_by("pk").first()


@transaction.atomic
def create_workspace(*, name: str, zone: str, language: str, late_minutes: int | None = None, by: User) -> Member:
    """A new client, with the person as its owner. Returns their seat."""
    workspace = Workspace.objects.create(
        name=name.strip(),
        slug=_free_slug(name),
        zone=zone,
        language=language,
        **({"late_minutes": late_minutes} if late_minutes is not None else {}),
    )
    member = Member.objects.create(workspace=workspace, user=by, role=Role.OWNER)
    audit.record(by=member, did="workspace.created", to=workspace)
    return member


def _free_slug(name: str) -> str:
    base = slugify(name)[:50] or "client"
    taken = set(Workspace.objects.filter(slug__startswith=base).values_list("slug", flat=True)) | {"all"}
    return next(slug for n in range(1, len(taken) + 2) if (slug := base if n == 1 else f"{base}-{n}") not in taken)


@transaction.atomic
def change_workspace(
    *, workspace: Workspace, name: str, zone: str, language: str, late_minutes: int | None = None, by: Member
) -> None:
    by.must("manage_workspace")
    if by.workspace_id != workspace.pk:
        raise NotAllowed("manage_workspace")
    kept = ("name", "zone", "language", "late_minutes")
    before = {field: getattr(workspace, field) for field in kept}
    workspace.name, workspace.zone, workspace.language = name.strip(), zone, language
    if late_minutes is not None:
        workspace.late_minutes = late_minutes
    workspace.save(update_fields=kept)
    audit.record(by=by, did="workspace.changed", to=workspace, before=before)


def invite(*, email: str, role: Role, by: Member) -> Invitation:
    """Offers a seat by e-mail. An open invitation to the same address is replaced by the new one.

    Raises NotAllowed when the role is above what ``by`` may give; AlreadyHere; OSError when the mail server does not
    take the message (the invitation is there: invite again).
    """
    email = email.strip().lower()
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        must_rank(by, role)
        if Member.objects.filter(workspace=by.workspace, user=person_with(email)).exists():
            raise AlreadyHere(_("%(email)s already has a seat here. Change the role in the list.") % {"email": email})
        Invitation.objects.filter(workspace=by.workspace, email__iexact=email, accepted_at=None).delete()
        invitation = Invitation.objects.create(
            workspace=by.workspace,
            email=email,
            role=role,
            token_hash=_hash(token),
            invited_by=by.user,
            expires_at=clock.now() + INVITATION_LASTS,
        )
        audit.record(by=by, did="member.invited", to=invitation, label=email, role=str(role))
    _send_invitation(invitation, token, by)
    return invitation


def may_give(by: Member, role: str) -> bool:
    """Owners give and take any role; a manager those below manager."""
    return by.may("manage_people") and (by.role == Role.OWNER or Role(role) not in (Role.OWNER, Role.MANAGER))


def must_rank(by: Member, role: str) -> None:
    if not may_give(by, role):
        raise NotAllowed("manage_people", role=by.role)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _send_invitation(invitation: Invitation, token: str, by: Member) -> None:
    context = {
        "link": f"{settings.PUBLIC_URL}/join/{token}/",
        "by": by.user,
        "workspace": invitation.workspace,
        "role": Role(invitation.role).label,
        "days": INVITATION_LASTS.days,
    }
    with translation.override(invitation.workspace.language):
        subject = _("%(by)s invites you to %(workspace)s") % {"by": by.user, "workspace": invitation.workspace}
        mail = EmailMultiAlternatives(
            subject, render_to_string("people/mail/invitation.txt", context), to=[invitation.email]
        )
        mail.send()


def open_invitation(token: str, *, to_take: bool = False) -> Invitation:
    """The invitation behind a link; ``to_take``: nobody else takes it meanwhile. Raises InvitationOver."""
    rows = Invitation.objects.select_for_update(of=("self",)) if to_take else Invitation.objects.all()
    found = (
        rows.select_related("workspace", "invited_by")
        .filter(token_hash=_hash(token), accepted_at=None, expires_at__gt=clock.now())
        .first()
    )
    if found is None:
        raise InvitationOver(_("This invitation was used, withdrawn, or is too old. Ask for a new one."))
    return found


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether the seat was offered to this person: to their address, or to another one that they proved to have."""
    invited = person_with(invitation.email)
    return invited is not None and invited.pk == user.pk


@transaction.atomic
def accept(*, token: str, user: User | None, name: str = "", password: str = "") -> Member:
    """Takes the seat: as the invited person, who is signed in, or as a new one with a password.

    Raises InvitationOver; ForSomebodyElse when the address is another person's, or is known and nobody is signed in;
    ValidationError when the password is too weak.
    """
    invitation = open_invitation(token, to_take=True)
    if user is None and person_with(invitation.email) is None:
        there = invitation.workspace
        user = _new_user(email=invitation.email, password=password, name=name, language=there.language, zone=there.zone)
    if user is None or not is_for(invitation, user):
        raise ForSomebodyElse(
            _("This invitation is for %(email)s. Sign in as that person.") % {"email": invitation.email}
        )
    member, fresh = Member.objects.get_or_create(
        workspace=invitation.workspace, user=user, defaults={"role": invitation.role}
    )
    invitation.accepted_at = clock.now()
    invitation.save(update_fields=["accepted_at"])
    audit.record(by=member, did="member.joined", to=member, role=member.role, fresh=fresh)
    return member


@transaction.atomic
def withdraw(*, invitation: Invitation, by: Member) -> None:
    by.must("manage_people", invitation)
    audit.record(by=by, did="invitation.withdrawn", to=invitation, label=invitation.email)
    invitation.delete()


@transaction.atomic
def change_role(*, member: Member, role: Role, by: Member) -> None:
    """Raises NotAllowed, LastOwner."""
    by.must("manage_people", member)
    must_rank(by, role)
    must_rank(by, member.role)
    before = member.role
    if role != Role.OWNER:
        _keep_an_owner(member)
    member.role = role
    member.save(update_fields=["role"])
    audit.record(by=by, did="member.role_changed", to=member, before=before, after=str(role))


@transaction.atomic
def remove_member(*, member: Member, by: Member) -> None:
    """Takes the seat away. Anyone may leave by themselves. Raises NotAllowed, LastOwner."""
    if member.pk != by.pk:
        by.must("manage_people", member)
        must_rank(by, member.role)
    _keep_an_owner(member)
    audit.record(by=by, did="member.removed", to=member, label=str(member.user), role=member.role)
    member.delete()


def _keep_an_owner(member: Member) -> None:
    owners = list(
        Member.objects.select_for_update()
        .filter(workspace=member.workspace_id, role=Role.OWNER)
        .values_list("pk", flat=True)
    )
    if owners == [member.pk]:
        raise LastOwner(_("A workspace keeps at least one owner. Make somebody else an owner first."))


def seal_again() -> int:
    """Seals the secrets of second steps under the newest key; safe to stop and run again. Returns how many."""
    adapter, done = MFAAdapter(), 0
    for row in Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).iterator():  # a passkey keeps no secret
        before = dict(row.data)
        after = {
            name: [adapter.seal_again(one) for one in value] if isinstance(value, list) else adapter.seal_again(value)
            for name, value in before.items()
            if name in SEALED_IN_MFA
        }
        fresh = {**before, **after}
        if fresh != before:
            done += Authenticator.objects.filter(pk=row.pk, data=before).update(data=fresh)
    return done + push.seal_again()


def change_me(
    *, user: User, name: str, zone: str, language: str, theme: str, by_email: bool = True, by_push: bool = True
) -> None:
    """What a person sets for themselves."""
    user.name, user.zone, user.language, user.theme = name.strip(), zone, language, theme
    user.by_email, user.by_push = by_email, by_push
    user.save(update_fields=["name", "zone", "language", "theme", "by_email", "by_push"])
