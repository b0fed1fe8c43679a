"""First start, joining, the person's own page, members and the audit trail."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView
from django.conf import settings as django_settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language as django_set_language

from regie.core import clock
from regie.people import notices, push, queries, services
from regie.people.audit import words
from regie.people.errors import InvitationOver, NotAllowed
from regie.people.forms import (
    AuditFilterForm,
    InviteForm,
    JoinForm,
    MeForm,
    PeopleFilterForm,
    WelcomeForm,
    WorkspaceForm,
)
from regie.people.middleware import in_workspace
from regie.people.models import Member, User
from regie.people.permissions import Role
from regie.people.scope import MemberRequest

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PER_PAGE = 50


def welcome(request: HttpRequest) -> HttpResponse:
    """The first start: the first person to come creates the owner. Afterwards this page is gone."""
    if not services.is_first_start():
        return redirect("account_login")
    form = WelcomeForm(request.POST or None, initial={"language": get_language()})
    if request.method == "POST" and form.is_valid():
        try:
            member = services.create_first_owner(**form.cleaned_data)
        except ValidationError as exc:
            form.add_error("password", exc)
        except NotAllowed:  # somebody was faster
            return redirect("account_login")
        else:
            login(request, member.user, backend=BACKEND)
            return redirect(in_workspace("", member.workspace.slug))
    return render(request, "people/welcome.html", {"form": form}, status=422 if form.errors else 200)


def sign_in(request: HttpRequest) -> HttpResponseBase:
    """The sign-in page; at a first start, the page that creates the owner."""
    if services.is_first_start():
        return redirect("people:welcome")
    return LoginView.as_view()(request)  # type: ignore[no-any-return]


@require_POST
def set_language(request: HttpRequest) -> HttpResponseBase:
    """The switch of the shell: kept in the browser, and with the person when one is signed in."""
    chosen = request.POST.get("language", "")
    if isinstance(request.user, User) and chosen in dict(django_settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=chosen)
    return django_set_language(request)


def join(request: HttpRequest, token: str) -> HttpResponse:
    """Behind the link of an invitation."""
    try:
        invitation = services.open_invitation(token)
    except InvitationOver as exc:
        return render(request, "people/invitation_over.html", {"said": exc.said}, status=410)
    user = request.user if isinstance(request.user, User) else None
    if user is None and services.person_with(invitation.email) is not None:
        return redirect(f"/account/login/?next=/join/{token}/")
    if user is not None and not services.is_for(invitation, user):
        return render(request, "people/for_somebody_else.html", {"invitation": invitation, "token": token}, status=403)
    form = None if user else JoinForm(request.POST or None)
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            member = services.accept(token=token, user=user, **(form.cleaned_data if form else {}))
        except ValidationError as exc:
            assert form is not None  # only a new person chooses a password
            form.add_error("password", exc)
        else:
            if user is None:
                login(request, member.user, backend=BACKEND)
            return redirect(in_workspace("", member.workspace.slug))
    context = {"form": form, "invitation": invitation, "role": Role(invitation.role).label}
    return render(request, "people/join.html", context, status=422 if form is not None and form.errors else 200)


@login_required
@require_safe
def settings(request: MemberRequest) -> HttpResponse:
    """The members of what is in view, and, for one workspace, what can be changed about it."""
    member = request.scope.current
    form = PeopleFilterForm(request.GET)
    form.is_valid()
    search = form.cleaned_data.get("q", "").strip()
    page = Paginator(queries.members_of(request.scope, search), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "people/settings.html",
        {
            "tabs": settings_tabs(request, "people:settings"),
            "member": member,
            "page": page,
            "seats": [_seat(one, request.user, member) for one in page],
            "form": form,
            "filtered": bool(search),
            "may_create": _may_create(request),
            "invitations": queries.invitations_of(request.scope),
            "invite_form": InviteForm(owner=member.role == Role.OWNER)
            if member and member.may("manage_people")
            else None,
            "workspace_form": _workspace_form(member) if member and member.may("manage_workspace") else None,
        },
    )


def _seat(one: Member, me: User, by: Member | None) -> dict[str, Any]:
    """One line of the list: ``roles`` it can be given from here; ``remove`` and ``leave``: what its button does."""
    myself = one.user_id == me.pk
    ranks = by is not None and not myself and services.may_give(by, one.role)
    return {
        "seat": one,
        "roles": [choice for choice in Role.choices if by and services.may_give(by, choice[0])] if ranks else [],
        "remove": ranks,
        "leave": myself,
    }


def _may_create(request: MemberRequest) -> bool:
    """Whoever owns a client, or looks after the installation, can add more."""
    return request.user.is_operator or any(seat.role == Role.OWNER for seat in request.scope.members)


def settings_tabs(request: MemberRequest, current: str) -> list[dict[str, Any]]:
    """Where settings live, for the pieces' tabs."""
    places = [
        ("people:settings", _("People and workspace")),
        ("people:me", _("Your account")),
        ("api:tokens", _("Tokens for programs")),
        ("web:health", _("Health")),
    ]
    if request.scope.may("read_audit"):
        places.insert(1, ("people:audit", _("Audit trail")))
    return [{"label": label, "url": reverse(view), "current": view == current} for view, label in places]


def _workspace_form(member: Member) -> WorkspaceForm:
    there = member.workspace
    return WorkspaceForm(
        initial={name: getattr(there, name) for name in ("name", "zone", "language", "late_minutes")},
        prefix="workspace",
    )


def _current(request: MemberRequest) -> Member:
    """The seat in the one workspace in view. With all clients in view there is nothing to change: 404."""
    if request.scope.current is None:
        raise Http404
    return request.scope.current


@login_required
@require_POST
def invite(request: MemberRequest) -> HttpResponse:
    member = _current(request)
    member.must("manage_people")
    form = InviteForm(request.POST, owner=member.role == Role.OWNER)
    if not form.is_valid():
        _say_errors(request, form)
        return redirect("people:settings")
    try:
        invitation = services.invite(email=form.cleaned_data["email"], role=Role(form.cleaned_data["role"]), by=member)
    except OSError:
        messages.error(request, _("The invitation is there, but the e-mail could not be sent: check the mail server."))
    else:
        messages.success(request, _("Invitation sent to %(email)s.") % {"email": invitation.email})
    return redirect("people:settings")


@login_required
@require_POST
def withdraw(request: MemberRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(queries.invitations_of(request.scope), pk=pk)
    services.withdraw(invitation=invitation, by=request.scope.member_in(invitation.workspace_id))
    messages.success(request, _("The invitation is withdrawn: its link no longer works."))
    return redirect("people:settings")


@login_required
@require_POST
def change_role(request: MemberRequest, pk: int) -> HttpResponse:
    member = get_object_or_404(queries.members_of(request.scope), pk=pk)
    if (role := request.POST.get("role", "")) not in Role.values:
        raise Http404
    services.change_role(member=member, role=Role(role), by=request.scope.member_in(member.workspace_id))
    messages.success(request, _("%(name)s is now: %(role)s.") % {"name": member.user, "role": Role(role).label})
    return redirect("people:settings")


@login_required
@require_POST
def remove_member(request: MemberRequest, pk: int) -> HttpResponse:
    member = get_object_or_404(queries.members_of(request.scope), pk=pk)
    myself = member.user_id == request.user.pk
    services.remove_member(member=member, by=request.scope.member_in(member.workspace_id))
    messages.success(request, _("%(name)s no longer has a seat here.") % {"name": member.user})
    return redirect("/" if myself else "people:settings")


@login_required
@require_POST
def change_workspace(request: MemberRequest) -> HttpResponse:
    member = _current(request)
    form = WorkspaceForm(request.POST, prefix="workspace")
    member.must("manage_workspace")
    if form.is_valid():
        services.change_workspace(workspace=member.workspace, by=member, **form.cleaned_data)
        messages.success(request, _("Saved."))
    else:
        _say_errors(request, form)
    return redirect("people:settings")


def _say_errors(request: HttpRequest, form: Form) -> None:
    for errors in form.errors.values():
        messages.error(request, " ".join(str(error) for error in errors))


@login_required
def new_workspace(request: MemberRequest) -> HttpResponse:
    if not _may_create(request):
        raise Http404
    form = WorkspaceForm(request.POST or None, initial={"zone": request.user.zone, "language": request.user.language})
    if request.method == "POST" and form.is_valid():
        member = services.create_workspace(by=request.user, **form.cleaned_data)
        return redirect(in_workspace("", member.workspace.slug))
    return render(request, "people/new_workspace.html", {"form": form}, status=422 if form.errors else 200)


@login_required
def me(request: MemberRequest) -> HttpResponse:
    user = request.user
    initial = {name: getattr(user, name) for name in ("name", "language", "zone", "theme", "by_email", "by_push")}
    form = MeForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        services.change_me(user=user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        response = redirect("people:me")
        response.set_cookie("django_language", user.language, samesite="Lax", max_age=60 * 60 * 24 * 365)
        response.delete_cookie("regie_theme")
        return response
    context = {
        "form": form,
        "tabs": settings_tabs(request, "people:me"),
        "push_key": push.keys().public,
        "browsers": user.push_browsers.order_by("-created_at"),
    }
    return render(request, "people/me.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def audit_trail(request: MemberRequest) -> HttpResponse:
    if not request.scope.may("read_audit"):
        raise Http404
    form = AuditFilterForm(request.GET)
    form.is_valid()
    search = form.cleaned_data.get("q", "").strip()
    page = Paginator(queries.audit_of(request.scope, search), PER_PAGE).get_page(request.GET.get("page"))
    rows = [{"entry": entry, "words": words(entry)} for entry in page]
    return render(
        request,
        "people/audit.html",
        {"page": page, "rows": rows, "form": form, "tabs": settings_tabs(request, "people:audit")},
    )


# Devices


@login_required
@require_POST
def subscribe(request: MemberRequest) -> HttpResponse:
    """What the browser's own question led to: its address at its push service, and its keys."""
    given = {name: request.POST.get(name, "")[:1200] for name in ("endpoint", "p256dh", "auth", "name")}
    push.subscribe(user=request.user, **given)
    messages.success(request, _("This device shows your notices from now on."))
    return HttpResponse(status=204)


@login_required
@require_POST
def unsubscribe(request: MemberRequest, pk: int) -> HttpResponse:
    get_object_or_404(request.user.push_browsers, pk=pk)
    push.unsubscribe(user=request.user, browser_id=pk)
    messages.success(request, _("That device shows no more notices."))
    return redirect("people:me")


@login_required
@require_POST
def try_push(request: MemberRequest) -> HttpResponse:
    """A notice to oneself, to see that it arrives."""
    seat = next(iter(request.scope.seats), None) or next(iter(request.scope.members), None)
    if seat is None:
        raise Http404
    key = f"push.try:{clock.now():%Y%m%dT%H%M%S}"
    notices.tell([request.user], workspace=seat.workspace_id, kind="push.try", key=key, path="notices/", urgent=True)
    messages.success(request, _("Sent: it should appear within a few seconds."))
    return redirect("people:me")
