"""Messages (one thing someone said to or about us) and the conversations they belong to."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _

from regie.accounts.models import Account
from regie.core import clock
from regie.people.models import Workspace
from regie.publishing.models import Delivery


class Conversation(models.Model):
    """Messages that belong together: the thread under a post, or a direct chat."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="conversations")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="conversations")
    remote_id = models.CharField(max_length=300)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, null=True, related_name="conversations")
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "remote_id"], name="conversation_once")]


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
    author_avatar_url = models.URLField(max_length=1000, blank=True)
    author_avatar = models.CharField(max_length=300, blank=True, help_text="Our own copy.")
    text = models.TextField(blank=True)
    url = models.URLField(max_length=500, blank=True)
    reply_to_id = models.CharField(max_length=300, blank=True, db_column="reply_to_remote_id")
    extra = models.JSONField(default=dict)
    said_at = models.DateTimeField()
    received_at = models.DateTimeField(default=clock.now)
    answer_until = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)
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
            models.Index(fields=["workspace", "state", "-said_at"], name="message_inbox"),
            models.Index(fields=["conversation", "said_at"], name="message_in_conversation"),
            GinIndex(fields=["words"], name="message_words"),
        ]


class Answer(models.Model):
    """What a member wants to say back: sent with the care of a delivery, once."""

    class State(models.TextChoices):
        SENDING = "sending", _("Sending")
        SENT = "sent", _("Sent")
        UNCLEAR = "unclear", _("Unclear")
        REFUSED = "refused", _("Refused")

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="answers")
    key = models.UUIDField(unique=True)
    text = models.TextField()
    state = models.CharField(max_length=10, choices=State, default=State.SENDING)
    problem = models.TextField(blank=True)
    problem_facts = models.JSONField(default=dict)
    remote_id = models.CharField(max_length=300, blank=True)
    url = models.URLField(max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    next_at = models.DateTimeField(null=True, default=clock.now)
    began_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
