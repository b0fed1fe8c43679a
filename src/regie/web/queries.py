"""What Today and the search read, across apps: only what the scope's person may see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from regie.accounts.models import Account
from regie.accounts.queries import accounts_for, ending_soon
from regie.community.models import Message
from regie.core import clock
from regie.people.scope import Scope
from regie.publishing.models import Delivery
from regie.publishing.states import NEEDS_A_PERSON, State
from regie.studio.models import Post
from regie.studio.queries import saying

MOST = 8
SOON = timedelta(days=7)


def _deliveries(scope: Scope) -> QuerySet[Delivery]:
    return Delivery.objects.filter(workspace__in=scope.workspace_ids()).select_related(
        "account", "variant__post", "workspace"
    )


def today(scope: Scope) -> dict[str, Any]:
    """``needs``: deliveries a person has to look at; ``broken``: accounts to reconnect; ``messages``: unanswered;
    ``next``: what goes out next; ``out``: what went out last; ``steps``: see first_steps."""
    now = clock.now()
    needs = _deliveries(scope).filter(state__in=NEEDS_A_PERSON).order_by("due_at")
    messages = (
        Message.objects.filter(workspace__in=scope.workspace_ids("read_inbox"), state=Message.State.OPEN, ours=False)
        .select_related("account", "workspace")
        .order_by("-said_at")
    )
    upcoming = _deliveries(scope).filter(
        state__in=[State.SCHEDULED, State.PREPARING, State.CLAIMED, State.HELD], due_at__lt=now + SOON
    )
    out = _deliveries(scope).filter(state=State.PUBLISHED).order_by("-accepted_at", "-due_at")
    return {
        "now": now,
        "needs": needs[:MOST],
        "needs_count": needs.count(),
        "missed_count": needs.filter(state=State.MISSED).count(),
        "broken": accounts_for(scope).filter(state=Account.State.BROKEN)[:MOST],
        "ending": ending_soon(accounts_for(scope, "connect"))[:MOST],
        "open_messages": messages[:5],
        "open_count": messages.count(),
        "next": upcoming.order_by("due_at")[:MOST],
        "next_count": upcoming.count(),
        "out": out[:5],
        "may_read_inbox": scope.may("read_inbox"),
        "steps": first_steps(scope),
    }


def first_steps(scope: Scope) -> list[dict[str, Any]]:
    """The way from an empty workspace to a first receipt: {done, title, text, url}; none once it is walked."""
    promised = Delivery.objects.filter(workspace__in=scope.workspace_ids())
    out = promised.filter(state=State.PUBLISHED).order_by("pk").first()
    if out is not None:
        return []
    posts = Post.objects.filter(workspace__in=scope.workspace_ids(), removed_at=None)
    write = reverse("studio:new") if scope.may("write") else ""
    return [
        {
            "done": accounts_for(scope).exists(),
            "title": _("Connect an account"),
            "text": _("A profile, page or channel of this client."),
            "url": reverse("accounts:networks") if scope.may("connect") else "",
        },
        {
            "done": posts.exists(),
            "title": _("Write a post"),
            "text": _("Once, for as many accounts as you like."),
            "url": write,
        },
        {
            "done": promised.exists(),
            "title": _("Choose its hour"),
            "text": _("Or publish at once. Régie sends it once, on time."),
            "url": reverse("studio:posts") if write else "",
        },
        {
            "done": False,
            "title": _("See its receipt"),
            "text": _("When it was sent, accepted and seen, with the link."),
            "url": reverse("planner:calendar"),
        },
    ]


def search(scope: Scope, text: str) -> list[dict[str, Any]]:
    """Groups of hits {label, hits: [{label, detail, url, icon}]}, at most a few each; nothing for an empty text."""
    if not text:
        return []
    groups = [
        {"label": _("Posts"), "hits": [_post_hit(post) for post in _posts(scope, text)]},
        {"label": _("Messages"), "hits": [_message_hit(message) for message in _messages(scope, text)]},
        {"label": _("Accounts"), "hits": [_account_hit(account) for account in _accounts(scope, text)]},
    ]
    return [group for group in groups if group["hits"]]


def _posts(scope: Scope, text: str) -> QuerySet[Post]:
    found = Post.objects.filter(workspace__in=scope.workspace_ids(), removed_at=None).select_related("workspace")
    return found.filter(Q(title__icontains=text) | saying(text)).order_by("-updated_at")[:MOST]


def _messages(scope: Scope, text: str) -> QuerySet[Message]:
    """What people said: an answer of ours has no page of its own to lead to."""
    found = Message.objects.filter(workspace__in=scope.workspace_ids("read_inbox"), ours=False)
    found = found.select_related("workspace")
    words = Q(text__icontains=text) | Q(author_name__icontains=text) | Q(author_handle__icontains=text)
    return found.filter(words).order_by("-said_at")[:MOST]


def _accounts(scope: Scope, text: str) -> QuerySet[Account]:
    return accounts_for(scope).filter(Q(name__icontains=text) | Q(handle__icontains=text))[:MOST]


def _post_hit(post: Post) -> dict[str, str]:
    return {
        "label": str(post) or _("Without text"),
        "detail": post.workspace.name,
        "url": reverse("studio:post", args=[post.pk]),
        "icon": "edit",
    }


def _message_hit(message: Message) -> dict[str, str]:
    return {
        "label": message.text[:120] or _("Without text"),
        "detail": f"{message.author_name} · {message.workspace.name}",
        "url": f"{reverse('community:inbox')}?message={message.pk}",
        "icon": "message",
    }


def _account_hit(account: Account) -> dict[str, str]:
    return {
        "label": account.name,
        "detail": f"{account.handle} · {account.workspace.name}",
        "url": reverse("accounts:account", args=[account.pk]),
        "icon": "plug",
    }
