"""Users, workspaces (one is one client), members and their roles, invitations, notices, and the audit trail."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from regie.core import clock
from regie.people.permissions import Role, may


class UserManager(BaseUserManager["User"]):
    @transaction.atomic
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A person, with the row that the pages of signing in read: nobody comes here without a proven address."""
        from allauth.account.models import EmailAddress

        user = self.model(email=email.strip(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_operator=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. An operator also looks after the installation: network apps, health."""

    class Theme(models.TextChoices):
        AUTO = "auto", _("As the device")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    email = models.EmailField(_("e-mail address"), unique=True, help_text="Kept in lower case.")
    name = models.CharField(_("name"), max_length=120)
    language = models.CharField(_("language"), max_length=10, default="en")
    zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    theme = models.CharField(_("theme"), max_length=10, choices=Theme, default=Theme.AUTO)
    by_email = models.BooleanField(_("by e-mail"), default=True, help_text="What cannot wait.")
    by_push = models.BooleanField(
        _("on my devices"), default=True, help_text="What cannot wait, where a browser agreed."
    )
    is_operator = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower")]

    def __str__(self) -> str:
        return self.name or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.lower()  # also when a library changes it
        super().save(*args, **kwargs)

    @property
    def is_staff(self) -> bool:
        return False

    def get_full_name(self) -> str:
        return self.name or self.email


class Workspace(models.Model):
    """One client: its accounts, posts, messages and numbers."""

    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("address"), max_length=60, unique=True)
    zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    language = models.CharField(_("language"), max_length=10, default="en")
    late_minutes = models.PositiveIntegerField(
        default=60, help_text="A post later than this asks a person, unless it says otherwise."
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(slug="all"), name="workspace_not_all")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """A person in a workspace, with the role that says what they may do there: ``permissions.py``."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="member_once")]
        ordering = ["workspace__name", "pk"]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def dialog_id(self) -> str:
        return f"member-{self.pk}"

    @property
    def role_label(self) -> str:
        return str(Role(self.role).label)

    def may(self, verb: str) -> bool:
        return may(self.role, verb)

    def must(self, verb: str, what: models.Model | None = None) -> None:
        """Raises NotAllowed when the role does not give the verb, or when ``what`` is another workspace's."""
        from regie.people.errors import NotAllowed

        elsewhere = what is not None and getattr(what, "workspace_id", self.workspace_id) != self.workspace_id
        if elsewhere or not self.may(verb):
            raise NotAllowed(verb, role=self.role)


class Invitation(models.Model):
    """A seat offered by e-mail. Only a hash of the link's token is kept."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"))
    role = models.CharField(_("role"), max_length=20, choices=Role)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "workspace", Lower("email"), condition=Q(accepted_at=None), name="invitation_open_once"
            )
        ]
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.email

    @property
    def is_over(self) -> bool:
        return self.expires_at <= clock.now()


class Notice(models.Model):
    """Something a person should know, told once: in the app, and by e-mail when it cannot wait."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200, help_text="What happened: told once per person.")
    kind = models.CharField(max_length=40)
    facts = models.JSONField(default=dict, help_text="What the sentence is made of, in the reader's language.")
    path = models.CharField(max_length=300, blank=True, help_text="Where to act on it, below the workspace.")
    urgent = models.BooleanField(default=False, help_text="Also sent by e-mail and to the person's browsers.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    read_at = models.DateTimeField(null=True, blank=True)
    emailed_at = models.DateTimeField(null=True, blank=True)
    pushed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="notice_told_once")]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="notice_of_user"),
            models.Index(fields=["created_at"], name="notice_to_email", condition=Q(urgent=True, emailed_at=None)),
            models.Index(fields=["created_at"], name="notice_to_push", condition=Q(urgent=True, pushed_at=None)),
        ]


class PushBrowser(models.Model):
    """A browser that agreed to show a person's notices while it is closed."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="push_browsers")
    endpoint = models.CharField(max_length=1000, unique=True, help_text="Where its push service takes messages.")
    p256dh = models.CharField(max_length=100, help_text="Its public key, base64url.")
    auth = models.CharField(max_length=30, help_text="Its secret, base64url.")
    name = models.CharField(max_length=120, blank=True, help_text="Browser and system, for its person.")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __repr__(self) -> str:
        return f"<PushBrowser {self.pk}>"


class PushKeys(models.Model):
    """One row: what signs our messages to browsers, sealed; context push_keys."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sealed_private = models.BinaryField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="push_keys_single")]


class AuditEntry(models.Model):
    """Who did what, when: written in the transaction of the change itself, and never changed."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, null=True, related_name="+")
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    who = models.CharField(max_length=150, help_text="The name at that moment, or the part of the product.")
    did = models.CharField(max_length=60)
    what = models.CharField(max_length=60, blank=True, help_text="The kind of thing it was done to.")
    what_id = models.BigIntegerField(null=True)
    label = models.CharField(max_length=200, blank=True)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-at"], name="audit_of_workspace"),
            models.Index(fields=["what", "what_id", "-at"], name="audit_of_thing"),
        ]
