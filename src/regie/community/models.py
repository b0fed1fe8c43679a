"""Messages (one thing someone said to or about us), the conversations they belong to, and where they come from."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from regie.accounts.models import Account
from regie.core import clock
from regie.people.models import Workspace
from regie.publishing.models import Delivery


def new_token() -> str:
    return secrets.token_urlsafe(24)


class Inbox(models.Model):
    """One queue of messages at a network: of one account, or shared by several (all channels of a Telegram bot).

    Each has one cursor, moved in the transaction that stores the messages before it, and one reader at a time.
    """

    network = models.CharField(max_length=40)
    key = models.CharField(max_length=400, help_text="account:<pk>, or the connector's inbox_key.")
    cursor = models.TextField(blank=True)
    next_at = models.DateTimeField(default=clock.now, help_text="When to ask again.")
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    read_at = models.DateTimeField(null=True)
    reader = models.UUIDField(null=True, help_text="Who is reading at this moment; a lease.")
    reading_until = models.DateTimeField(null=True)
    listener = models.UUIDField(null=True, help_text="Who keeps a line to the network open; a lease.")
    listening_until = models.DateTimeField(null=True)
    listen_at = models.DateTimeField(default=clock.now, help_text="When to try to open the line (again).")
    token = models.CharField(max_length=64, unique=True, default=new_token, help_text="In the webhook's address.")
    webhook = models.CharField(max_length=300, blank=True, help_text="Address and secret's mark last set there.")
    tell_at = models.DateTimeField(default=clock.now, help_text="When to tell the network our address (again).")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["network", "key"], name="inbox_once")]
        indexes = [models.Index(fields=["next_at"], name="inbox_due")]

    def __str__(self) -> str:
        return f"{self.network} {self.key}"


class InboxAccount(models.Model):
    """Which queue brings an account's messages."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="inbox_account")
    inbox = models.ForeignKey(Inbox, on_delete=models.CASCADE, related_name="accounts")


class Intake(models.Model):
    """What a network brought to our webhook, as it came: kept before it is answered, worked on by a job."""

    inbox = models.ForeignKey(Inbox, on_delete=models.CASCADE, related_name="intakes")
    body = models.BinaryField()
    digest = models.BinaryField(max_length=32, null=True, help_text="SHA-256 of the body: what comes again is known.")
    headers = models.JSONField(default=dict)
    received_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["inbox", "digest"], name="intake_once")]
        indexes = [models.Index(fields=["received_at"], name="intake_waiting", condition=Q(done_at=None))]


class Avatar(models.Model):
    """Our own copy of a picture that a network shows beside a name. The browser never asks the network."""

    url = models.CharField(max_length=1000, unique=True)
    picture = models.CharField(max_length=200, blank=True, help_text="Below MEDIA_ROOT; a small WebP.")
    next_at = models.DateTimeField(null=True, default=clock.now, help_text="When to fetch it; None: done or given up.")
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="avatar_to_fetch", condition=Q(next_at__isnull=False))]


class Conversation(models.Model):
    """Messages that belong together: the thread under a post, or a direct chat."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="conversations")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="conversations")
    remote_id = models.CharField(max_length=300)
    post_id = models.CharField(max_length=300, blank=True, db_column="post_remote_id", help_text="Our post above it.")
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, null=True, related_name="conversations")
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "remote_id"], name="conversation_once")]
        indexes = [
            models.Index(
                fields=["account", "last_at"],
                name="conversation_without_post",
                condition=Q(delivery=None) & ~Q(post_id=""),
            )
        ]


class Message(models.Model):
    """One thing someone said to or about us, or that we answered."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DONE = "done", _("Done")

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="messages")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="messages")
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="messages")
    remote_id = models.CharField(max_length=300)
    kind = models.CharField(max_length=20)
    ours = models.BooleanField(default=False)
    author_id = models.CharField(max_length=300, db_column="author_remote_id")
    author_name = models.CharField(max_length=200, blank=True)
    author_handle = models.CharField(max_length=200, blank=True)
    author_url = models.URLField(max_length=500, blank=True)
    author_avatar = models.ForeignKey(Avatar, on_delete=models.SET_NULL, null=True, related_name="messages")
    text = models.TextField(blank=True)
    url = models.URLField(max_length=500, blank=True)
    reply_to_id = models.CharField(max_length=300, blank=True, db_column="reply_to_remote_id")
    extra = models.JSONField(default=dict)
    said_at = models.DateTimeField()
    received_at = models.DateTimeField(default=clock.now)
    answer_until = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)
    gone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="Who deleted it from here; None: somebody on the network.",
    )
    hidden_at = models.DateTimeField(null=True)
    hidden_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)
    liked_at = models.DateTimeField(null=True)
    liked = models.JSONField(null=True, help_text="What unliking needs.")
    words = SearchVectorField(null=True, help_text="Text and author, accents folded.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "remote_id"], name="message_once")]
        indexes = [
            models.Index(fields=["workspace", "state", "-said_at"], name="message_inbox", condition=Q(ours=False)),
            models.Index(fields=["workspace", "-said_at"], name="message_latest", condition=Q(ours=False)),
            models.Index(fields=["conversation", "said_at"], name="message_in_conversation"),
            GinIndex(fields=["words"], name="message_words"),
        ]

    def __str__(self) -> str:
        return f"{self.author_name or self.author_handle}: {self.text[:60]}"

    @property
    def avatar_url(self) -> str:
        """Where our copy of the author's picture is, or empty."""
        if self.ours:
            return self.account.avatar_url
        known = self.author_avatar
        return reverse("community:avatar", args=[known.pk]) if known is not None and known.picture else ""


class Answer(models.Model):
    """What a member wants to say back: written before the call, sent once, with the care of a delivery.

    ``began_at`` None: no call is under way. Set: one began, and until ``deadline`` it may still be.
    """

    class State(models.TextChoices):
        SENDING = "sending", _("Sending")
        SENT = "sent", _("Sent")
        UNCLEAR = "unclear", _("Unclear")
        REFUSED = "refused", _("Refused")

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="answers")
    key = models.UUIDField(unique=True, help_text="Sent to the network, the same at each attempt.")
    text = models.TextField()
    state = models.CharField(max_length=10, choices=State, default=State.SENDING)
    problem = models.TextField(blank=True, help_text="A sentence in English with {names}; shown translated.")
    problem_facts = models.JSONField(default=dict)
    progress = models.JSONField(default=dict, help_text="What the connector has achieved so far.")
    remote_id = models.CharField(max_length=300, blank=True)
    url = models.URLField(max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    next_at = models.DateTimeField(null=True, default=clock.now, help_text="When to send, or to look; None: settled.")
    tries = models.PositiveSmallIntegerField(default=0)
    looks = models.PositiveSmallIntegerField(default=0, help_text="How often we looked whether it is there.")
    first_at = models.DateTimeField(null=True, help_text="The first call began: what a safe repeat counts from.")
    began_at = models.DateTimeField(null=True)
    deadline = models.DateTimeField(null=True, help_text="After this the call can no longer be under way.")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(state="sent", remote_id=""), name="answer_has_receipt"),
        ]
        indexes = [models.Index(fields=["next_at"], name="answer_waiting", condition=Q(next_at__isnull=False))]
        ordering = ["created_at", "pk"]
