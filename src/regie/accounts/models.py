"""Network apps and connected accounts: credentials sealed, health shown."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from regie.core import clock
from regie.networks import registry
from regie.people.models import Workspace


class NetworkApp(models.Model):
    """Our registration at a vendor, or on one server of a network where each has its own (Mastodon)."""

    network = models.CharField(max_length=40)
    server = models.CharField(max_length=300, blank=True)
    client_id = models.CharField(max_length=500)
    sealed_keys = models.BinaryField(
        help_text="client_secret and extras, sealed; context network_app:<network>:<server>"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["network", "server"], name="network_app_once")]
        ordering = ["network", "server"]

    def __str__(self) -> str:
        return f"{self.network} {self.server}".strip()

    @property
    def dialog_id(self) -> str:
        return f"registration-{self.pk}"


class Account(models.Model):
    """A page, profile or channel on a network, connected to one workspace."""

    class State(models.TextChoices):
        CONNECTED = "connected", _("Connected")
        PAUSED = "paused", _("Paused")
        BROKEN = "broken", _("Needs reconnecting")
        REMOVED = "removed", _("Removed")

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="accounts")
    network = models.CharField(max_length=40)
    server = models.CharField(max_length=300, help_text="Base address of the API it lives on.")
    remote_id = models.CharField(max_length=300)
    kind = models.CharField(max_length=20, default="profile")
    name = models.CharField(max_length=200)
    handle = models.CharField(max_length=200, blank=True)
    url = models.URLField(max_length=500, blank=True)
    avatar = models.ImageField(upload_to="avatars/", blank=True, help_text="Fetched by us, served by us.")
    avatar_source = models.TextField(blank=True, help_text="Where the network shows its picture.")
    state = models.CharField(max_length=20, choices=State, default=State.CONNECTED)
    problem = models.TextField(blank=True, help_text="A sentence in English with {names}; shown translated.")
    problem_facts = models.JSONField(default=dict, blank=True)
    limits = models.JSONField(default=dict, blank=True, help_text="What its server says of its limits.")
    scopes = models.JSONField(default=list, blank=True)
    sealed_credentials = models.BinaryField(default=bytes, help_text="Sealed; context account:<pk>")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="When the access token runs out.")
    refresh_at = models.DateTimeField(null=True, blank=True, help_text="When to trade it for a fresh one.")
    reconnect_by = models.DateTimeField(
        null=True, blank=True, help_text="When it stops working unless a person connects it again."
    )
    refreshing_until = models.DateTimeField(null=True, blank=True, help_text="Somebody is trading it; a lease.")
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When its network last answered us well.")
    measured_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True, help_text="The network asked us to leave it alone until.")
    prepare_seconds = models.FloatField(default=5.0, help_text="How long preparing takes here: a moving average.")
    video_seconds = models.FloatField(default=60.0, db_default=60.0, help_text="The same where there is a video.")
    connected_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "network", "server", "remote_id"],
                condition=~Q(state="removed"),
                name="account_once_per_workspace",
            )
        ]
        indexes = [models.Index(fields=["refresh_at"], name="account_to_refresh", condition=Q(state="connected"))]
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def in_full(self) -> str:
        """Its name with its network's: where the accounts of a brand, which all bear its name, stand side by side."""
        return f"{self.name} ({registry.connector(self.network).name})"

    @property
    def avatar_url(self) -> str:
        """Where our own copy of its picture is, or empty."""
        return reverse("accounts:avatar", args=[self.pk]) if self.avatar else ""


class SignInUnderWay(models.Model):
    """A person was sent to a vendor's page and has not come back yet. Short-lived; used once."""

    state_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, null=True, related_name="+", help_text="Reconnecting"
    )
    network = models.CharField(max_length=40)
    server = models.CharField(max_length=300, blank=True)
    redirect_uri = models.CharField(max_length=500)
    sealed_secrets = models.BinaryField(help_text="Sealed; context sign_in:<state_hash>")
    expires_at = models.DateTimeField()


class Budget(models.Model):
    """What a network lets an account (or a bot, an app) do in a window of time, as counted by all of us together.

    One row for each quota; taken from in portions by the function ``accounts_take`` (migration 0004, budgets.py).
    """

    key = models.CharField(max_length=200, help_text="account:<pk>, or what several accounts share.")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, related_name="budgets")
    name = models.CharField(max_length=60)
    most = models.IntegerField(help_text="Points in any window: as declared, or as the network says.")
    seconds = models.FloatField(default=300, help_text="How long the window is.")
    spent = models.JSONField(default=dict, help_text="Points by the slice of time in which they were taken.")
    left = models.IntegerField(null=True, help_text="By the network's own word, less what was taken since.")
    resets_at = models.DateTimeField(null=True, help_text="Until when its word holds.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "name"], name="budget_once")]
