"""Pages of connected accounts and of the networks they are on."""

from __future__ import annotations

import asyncio
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from regie.accounts import services, sign_in
from regie.accounts.budgets import standing
from regie.accounts.errors import CannotConnect, SignInOver
from regie.accounts.forms import LOGINS, FilterForm, KeysForm, PermitsForm, connect_form
from regie.accounts.guides import guide_for, guides
from regie.accounts.models import Account, NetworkApp
from regie.accounts.opening import app_keys, capabilities_of
from regie.accounts.queries import accounts_for, ending_soon
from regie.core.sentences import in_words
from regie.networks import registry
from regie.networks.capabilities import Capabilities, SignIn
from regie.people.middleware import in_workspace, without_workspace
from regie.people.models import User
from regie.people.scope import MemberRequest

PER_PAGE = 50


@login_required
@require_safe
def accounts(request: MemberRequest) -> HttpResponse:
    found = accounts_for(request.scope)
    form = FilterForm(request.GET)
    form.is_valid()
    search, state = form.cleaned_data.get("q", "").strip(), form.cleaned_data.get("state", "")
    if search:
        found = found.filter(Q(name__icontains=search) | Q(handle__icontains=search) | Q(network__icontains=search))
    if state:
        found = found.filter(state=state)
    page = Paginator(found.order_by("network", "name", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "accounts/list.html",
        {
            "rows": [_row(account) for account in page],
            "page": page,
            "form": form,
            "may_connect": request.scope.may("connect"),
            "filtered": bool(search or state),
        },
    )


def _row(account: Account) -> dict[str, Any]:
    return {
        "account": account,
        "network": registry.connector(account.network).name,
        "problem": in_words(account.problem, account.problem_facts),
    }


@login_required
@require_safe
def networks(request: MemberRequest) -> HttpResponse:
    """Choose a network to connect an account on; with all clients in view, first choose the client."""
    return render(
        request,
        "accounts/networks.html",
        {
            "guides": guides(),
            "clients": [
                {"name": seat.workspace.name, "url": in_workspace("accounts/connect/", seat.workspace.slug)}
                for seat in request.scope.seats
                if seat.may("connect")
            ],
        },
    )


@login_required
def connect(request: MemberRequest, network: str) -> HttpResponse:
    """The form of one network, in the way that ``?way=`` names; POST signs in or sends the browser away to do so."""
    if network not in registry.slugs():
        raise Http404
    member = request.scope.current
    if member is None:
        return redirect("accounts:networks")
    account = None
    if reconnecting := request.GET.get("account") or request.POST.get("account"):
        if not reconnecting.isdecimal():
            raise Http404
        account = get_object_or_404(accounts_for(request.scope, "connect"), pk=int(reconnecting), network=network)
    member.must("connect", account)
    ways = registry.connector(network).can.sign_in
    way = SignIn(found) if (found := request.GET.get("way", "")) in [str(one) for one in ways] else ways[0]
    known = {**_known(account, network), **({"chat": moved} if (moved := request.GET.get("chat")) else {})}
    form = connect_form(network, way, request.POST if request.method == "POST" else None, initial=known)
    said = ""
    if request.method == "POST" and form.is_valid():
        typed = {name: str(value) for name, value in form.cleaned_data.items()}
        try:
            if way == SignIn.OAUTH:
                return redirect(
                    sign_in.begin(
                        network=network,
                        typed_server=typed.get("server", ""),
                        hint=typed.get("hint", ""),
                        by=member,
                        account=account,
                    )
                )
            came_back = sign_in.with_secret(network=network, fields=typed, by=member, account=account)
            return _arrived(request, came_back)
        except CannotConnect as exc:
            said = exc.said
    context = {
        "guide": guide_for(network),
        "form": form,
        "way": way,
        "tabs": _tabs(ways, way, account),
        "said": said,
        "account": account,
        "network": network,
        "name": registry.connector(network).name,
        "needs_keys": way == SignIn.OAUTH and services.lacks_app(network),
        "keys_url": _keys_url(network),
    }
    return render(request, "accounts/connect.html", context, status=422 if said or form.errors else 200)


def _keys_url(network: str) -> str:
    """A network's part of the page with what each asks for."""
    return f"{reverse('accounts:network_apps')}#network-{network}"


def _tabs(ways: tuple[SignIn, ...], current: SignIn, account: Account | None) -> list[dict[str, Any]]:
    words = {
        SignIn.OAUTH: _("On the network's page"),
        SignIn.APP_PASSWORD: _("With an app password"),
        SignIn.BOT_TOKEN: _("With a bot"),
        SignIn.ACCESS_KEY: _("With keys"),
    }
    rest = f"&account={account.pk}" if account else ""
    return [{"label": words[way], "url": f"?way={way}{rest}", "current": way == current} for way in ways]


def _known(account: Account | None, network: str) -> dict[str, str]:
    """What the form can fill in by itself."""
    if account is None:
        held = set(NetworkApp.objects.filter(network=network).values_list("server", flat=True))
        ready = (server for server in services.logins_of(network).values() if server in held)
        return {"server": next(ready, settings.NETWORKS.get(network, ""))}
    return {"server": account.server, "hint": account.handle.lstrip("@"), "handle": account.handle.lstrip("@")}


def _arrived(request: HttpRequest, came_back: sign_in.CameBack) -> HttpResponse:
    if came_back.choice:
        return redirect(in_workspace(f"accounts/choose/{came_back.choice}/", came_back.workspace_slug))
    names = ", ".join(account.name for account in came_back.accounts)
    messages.success(request, _("%(names)s is connected.") % {"names": names})
    first = came_back.accounts[0]
    return redirect(in_workspace(f"accounts/{first.pk}/", came_back.workspace_slug))


@require_safe
def callback(request: HttpRequest, network: str) -> HttpResponse:
    """Where a vendor's page sends the browser back to.

    Vendors know this machine as 127.0.0.1 (``redirect_uri``). Whoever opened it as localhost is signed in there, and a
    browser keeps the two apart: they are sent on to where they came from.
    """
    here, home = urlsplit(f"//{request.get_host()}").hostname, urlsplit(str(settings.PUBLIC_URL)).hostname
    if not request.user.is_authenticated and (here, home) == ("127.0.0.1", "localhost"):
        return redirect(f"{settings.PUBLIC_URL}{request.get_full_path()}")
    return _came_back(request, network)


@login_required
def _came_back(request: HttpRequest, network: str) -> HttpResponse:
    if network not in registry.slugs():
        raise Http404
    query = {name: str(request.GET[name]) for name in request.GET}
    try:
        return _arrived(request, sign_in.finish(network=network, query=query, user=cast(User, request.user)))
    except CannotConnect as exc:
        return _not_connected(request, exc.said, network, exc.workspace_slug)
    except SignInOver as exc:
        return _not_connected(request, exc.said, network)


@login_required
def choose(request: MemberRequest, choice: str) -> HttpResponse:
    """Which of the Pages or accounts behind one sign-in to connect. Only for the person who signed in."""
    try:
        found = sign_in.choice_of(choice, user=request.user)
    except SignInOver as exc:
        return _not_connected(request, exc.said, "")
    chosen = request.POST.getlist("profile")
    if request.method == "POST" and chosen:
        try:
            return _arrived(request, sign_in.choose(found, chosen))
        except SignInOver as exc:
            return _not_connected(request, exc.said, found.network)
    return render(
        request,
        "accounts/choose.html",
        {
            "profiles": found.profiles,
            "network": found.network,
            "name": registry.connector(found.network).name,
            "said": _("Choose at least one.") if request.method == "POST" else "",
        },
        status=422 if request.method == "POST" else 200,
    )


def _not_connected(request: HttpRequest, said: str, network: str, slug: str = "") -> HttpResponse:
    """Says why, and leads back to the network's page of the client (``slug``), as far as they are known."""
    path = reverse("accounts:connect", args=[network]) if network else reverse("accounts:networks")
    again = in_workspace(without_workspace(path), slug) if slug else path
    return render(request, "accounts/not_connected.html", {"said": said, "again": again}, status=422)


@login_required
@require_POST
def enter_app(request: MemberRequest, network: str) -> HttpResponse:
    """The operator enters the keys of an app made at a vendor."""
    if not request.user.is_operator or network not in registry.slugs():
        raise Http404
    server = request.POST.get("server", "")
    form = KeysForm(request.POST, network=network)
    if server not in services.logins_of(network).values():
        raise Http404
    if form.is_valid():
        services.enter_app(
            network=network,
            server=server,
            client_id=form.cleaned_data["client_id"],
            client_secret=form.cleaned_data["client_secret"],
            extra=form.extra(),
            by=request.user,
        )
        messages.success(request, _("The keys are kept. Accounts can be connected now."))
    else:
        messages.error(request, _("Enter both the app's ID and its secret."))
    return redirect(_keys_url(network))


@login_required
@require_POST
def permit_app(request: MemberRequest, pk: int) -> HttpResponse:
    """The operator says what else sign-ins with an app ask for."""
    if not request.user.is_operator:
        raise Http404
    app = get_object_or_404(NetworkApp, pk=pk)
    form = PermitsForm(request.POST, app=app)
    if form.is_valid():
        services.permit(app=app, names=form.chosen(), by=request.user)
        messages.success(request, _("Saved."))
    return redirect(_keys_url(app.network))


@login_required
@require_safe
def network_apps(request: MemberRequest) -> HttpResponse:
    """What each network asks for, the addresses to copy, and our registrations there."""
    if not request.scope.may("connect"):
        raise Http404
    held: dict[str, list[NetworkApp]] = {}
    for app in NetworkApp.objects.all():
        held.setdefault(app.network, []).append(app)
    return render(
        request,
        "accounts/network_apps.html",
        {
            "rows": [
                {
                    "guide": guide,
                    "apps": _titled(guide.slug, held.get(guide.slug, [])),
                    "can_try": _can_try(guide.slug),
                    "logins": _logins(guide.slug, held.get(guide.slug, [])) if request.user.is_operator else [],
                }
                for guide in guides()
            ],
            "may_forget": request.user.is_operator,
        },
    )


def _titled(network: str, apps: list[NetworkApp]) -> list[tuple[NetworkApp, str]]:
    """Each app with what people call it: its login, or the server that a person named; no vendor's address."""
    logins = services.logins_of(network)
    if len(logins) > 1:
        words = {server: str(LOGINS[word]) for word, server in logins.items()}
        return [(app, words.get(app.server, app.server)) for app in apps]
    name = registry.connector(network).name
    return [(app, name if logins else app.server or name) for app in apps]


def _logins(network: str, apps: list[NetworkApp]) -> list[dict[str, Any]]:
    """A form for the keys of each app that a vendor's logins ask for, and whether there are keys already."""
    logins, known = services.logins_of(network), {app.server: app for app in apps}
    return [
        {
            "label": LOGINS[word] if len(logins) > 1 else "",
            "server": server,
            "app": known.get(server),
            "permits": _permits(known.get(server)),
            "form": KeysForm(auto_id=f"id_{network}_{word}_%s", network=network),
        }
        for word, server in logins.items()
    ]


def _permits(app: NetworkApp | None) -> PermitsForm | None:
    """What may be switched on for an app that is there; None where there is nothing."""
    form = PermitsForm(app=app, auto_id=f"id_permit_{app.pk}_%s") if app is not None else None
    return form if form is not None and form.offered else None


def _can_try(network: str) -> bool:
    """Whether there is one server to ask; where each account has its own, the registrations are asked."""
    return bool(settings.NETWORKS.get(network) or registry.connector(network).default_server)


@login_required
@require_POST
def try_network(request: MemberRequest, network: str) -> HttpResponse:
    seat = next((seat for seat in request.scope.seats if seat.may("connect")), None)
    if network not in registry.slugs() or seat is None:
        raise Http404
    server = ""
    if asked := request.POST.get("app", ""):
        server = get_object_or_404(NetworkApp, pk=int(asked) if asked.isdecimal() else 0, network=network).server
    try:
        sign_in.try_out(network=network, server=server, by=seat)
    except CannotConnect as exc:
        messages.error(request, exc.said)
    else:
        name = registry.connector(network).name
        messages.success(request, _("%(network)s answers as it should.") % {"network": name})
    return redirect(_keys_url(network))


@login_required
@require_POST
def forget_app(request: MemberRequest, pk: int) -> HttpResponse:
    if not request.user.is_operator:
        raise Http404
    app = get_object_or_404(NetworkApp, pk=pk)
    services.forget_app(app=app, by=request.user)
    if services.logins_of(app.network):
        messages.success(request, _("Forgotten. Nobody can sign in there until keys are entered again."))
    else:
        messages.success(request, _("Forgotten. The next sign-in there makes a fresh registration."))
    return redirect(_keys_url(app.network))


@require_safe
def client_metadata(request: HttpRequest) -> JsonResponse:
    """Bluesky's servers read here who we are. Public; holds public keys only."""
    from regie.networks.bluesky.sign_in import client_metadata as document

    servers = NetworkApp.objects.filter(network="bluesky").order_by("created_at").values_list("server", flat=True)
    ours = [keys for server in servers if (keys := app_keys("bluesky", server)) is not None and keys.client_secret]
    if not ours:
        raise Http404
    # One client id for every server we signed in at: each finds the key it knows us by.
    return JsonResponse(document(*ours), headers={"Cache-Control": "public, max-age=600"})


@login_required
@require_safe
def account(request: MemberRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(accounts_for(request.scope), pk=pk)
    member = request.scope.member_in(found.workspace_id)
    can = capabilities_of(found)
    return render(
        request,
        "accounts/account.html",
        {
            **_row(found),
            "can": can,
            "formats": _formats(can),
            "repeat": type(can.repeat).__name__,
            "may_connect": member.may("connect"),
            "reconnect_url": _reconnect_url(found),
            "ending": bool(ending_soon(Account.objects.filter(pk=found.pk))),
            "missing": [in_words(str(one)) for one in found.limits.get("missing", ())],
            "moved_to": services.moved_to(found),
            "quotas": standing(found),
        },
    )


def _formats(can: Capabilities) -> list[tuple[str, bool]]:
    """What else it takes, each with a plain yes or no."""
    return [
        (_("Videos"), can.video is not None),
        (_("Short video"), can.short is not None),
        (_("Story"), can.story),
        (_("Documents"), can.documents is not None),
        (_("Sounds"), can.sounds is not None),
        (_("Thread"), can.thread > 1),
        (_("First comment"), can.first_comment),
    ]


def _reconnect_url(account: Account) -> str:
    """In the account's own workspace, also when all clients are in view."""
    path = f"accounts/connect/{account.network}/?account={account.pk}"
    if moved_to := services.moved_to(account):
        path += f"&chat={moved_to}"
    return in_workspace(path, account.workspace.slug)


@login_required
@require_safe
def avatar(request: MemberRequest, pk: int) -> HttpResponseBase:
    """Our own copy of the account's picture: the browser never asks the network."""
    found = get_object_or_404(accounts_for(request.scope), pk=pk)
    if not found.avatar:
        raise Http404
    return FileResponse(
        found.avatar.open(), content_type="image/webp", headers={"Cache-Control": "private, max-age=86400"}
    )


@login_required
@require_POST
def act(request: MemberRequest, pk: int, verb: str) -> HttpResponse:
    """pause, resume, remove, check: one button each on the account's page."""
    found = get_object_or_404(accounts_for(request.scope), pk=pk)
    by = request.scope.member_in(found.workspace_id)
    if verb == "check":
        by.must("connect", found)
        asyncio.run(services.check_health(found))
        found.refresh_from_db()
        if found.problem:
            messages.error(request, in_words(found.problem, found.problem_facts))
        else:
            messages.success(request, _("The network answers, and knows this account."))
    elif verb == "pause":
        services.pause(account=found, by=by)
        messages.success(
            request,
            _("Paused. Nothing goes out from this account until you resume it."),
            extra_tags=f"undo:{reverse('accounts:act', args=[found.pk, 'resume'])}",
        )
    elif verb == "resume":
        services.resume(account=found, by=by)
        messages.success(request, _("Resumed."))
    elif verb == "remove":
        by.must("connect", found)
        asyncio.run(services.revoke(found))
        services.remove(account=found, by=by)
        messages.success(request, _("The account was removed. Its posts and receipts stay."))
        return redirect("accounts:accounts")
    else:
        raise Http404
    return redirect("accounts:account", pk=found.pk)
