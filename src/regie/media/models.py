"""Files that people upload, and the renditions made of them so that networks take them."""

from __future__ import annotations

import re
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from regie.core import clock
from regie.people.models import Workspace


class File(models.Model):
    """A picture, a video, a document, a sound or subtitles as uploaded.

    HEIC is kept, and shown through its renditions. Width and height as it is seen, after turning it upright; 0 where
    there is nothing to see.
    """

    class Kind(models.TextChoices):
        PICTURE = "picture"
        VIDEO = "video"
        DOCUMENT = "document"
        SOUND = "sound"
        CAPTIONS = "captions"

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PICTURE, db_default=Kind.PICTURE.value)
    name = models.CharField(max_length=255)
    file = models.FileField(upload_to="files/%Y/%m/", max_length=300)
    thumbnail = models.FileField(upload_to="thumbnails/%Y/%m/", max_length=300, blank=True)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(max_length=64)
    alt = models.TextField(blank=True, help_text="What it shows, for those who do not see it.")
    focus_x = models.FloatField(default=0, help_text="-1 left .. 1 right")
    focus_y = models.FloatField(default=0, help_text="-1 bottom .. 1 top")
    title = models.CharField(
        max_length=255, blank=True, db_default="", help_text="Of a document or a sound, as its readers see it."
    )
    pages = models.PositiveIntegerField(null=True, blank=True, help_text="Of a document; empty where nobody can tell.")
    language = models.CharField(max_length=12, blank=True, db_default="", help_text="Of subtitles, as their name says.")
    seconds = models.FloatField(null=True, blank=True, help_text="How long a video or a sound lasts.")
    # What follows is of videos only, but for the sound's codec.
    frame_rate = models.FloatField(null=True, blank=True, help_text="Pictures a second.")
    video_codec = models.CharField(max_length=40, blank=True, db_default="")
    audio_codec = models.CharField(max_length=40, blank=True, db_default="", help_text="Empty: it has no sound.")
    turned = models.BooleanField(default=False, db_default=False, help_text="Stored lying on its side.")
    telling = models.BooleanField(
        default=False,
        db_default=False,
        help_text="It carries a place, a camera or an author, taken out before it goes.",
    )
    cover_at = models.FloatField(null=True, blank=True, help_text="Seconds to the picture that stands for it.")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "sha256"], name="file_once"),
            models.CheckConstraint(condition=~Q(kind="video", seconds=None), name="file_video_lasts"),
            models.CheckConstraint(condition=~Q(kind="sound", seconds=None), name="file_sound_lasts"),
        ]
        indexes = [models.Index(fields=["workspace", "-created_at"], name="file_of_workspace")]
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def public_name(self) -> str:
        """What a document or a sound is called for its readers, with its ending: never what the team calls it."""
        plain = re.sub(r'[\x00-\x1f/\\:*?"<>|]', " ", self.title)
        stem = " ".join(plain.split())[:100].strip(" .")
        ending = str(self.file.name).rpartition(".")[2]
        return f"{stem or self.kind}.{ending}"

    @property
    def is_video(self) -> bool:
        return self.kind == self.Kind.VIDEO

    @property
    def is_picture(self) -> bool:
        return self.kind == self.Kind.PICTURE

    @property
    def is_document(self) -> bool:
        return self.kind == self.Kind.DOCUMENT

    @property
    def is_sound(self) -> bool:
        return self.kind == self.Kind.SOUND

    @property
    def is_captions(self) -> bool:
        return self.kind == self.Kind.CAPTIONS


class Rendition(models.Model):
    """A file made to fit one set of limits: ``recipe`` says which.

    A picture's is made when it is asked for. A video's takes its time: the row waits for a worker, which says in it how
    far it is, and why nothing came of it.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        MAKING = "making"
        READY = "ready"
        FAILED = "failed"

    original = models.ForeignKey(File, on_delete=models.CASCADE, related_name="renditions")
    recipe = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.READY, db_default=State.READY.value)
    percent = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="How far its making is.")
    plan = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()), help_text="videos.Plan")
    problem = models.TextField(blank=True, db_default="", help_text="A sentence in English; shown translated.")
    touched_at = models.DateTimeField(default=clock.now, db_default=Now(), editable=False)
    file = models.FileField(upload_to="renditions/%Y/%m/", max_length=300, blank=True)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(default=0)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    seconds = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["original", "recipe"], name="rendition_once"),
            models.CheckConstraint(condition=~Q(state="ready", file=""), name="rendition_ready_has_file"),
        ]
        indexes = [
            models.Index(fields=["touched_at"], name="rendition_to_make", condition=Q(state__in=["waiting", "making"]))
        ]


class Upload(models.Model):
    """A large file on its way to us, piece by piece: how much of it is here. Forgotten after days without a piece."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=255)
    mark = models.CharField(max_length=100, help_text="The sender's word for this very file, to find it again by.")
    size = models.PositiveBigIntegerField(help_text="Bytes of the whole.")
    received = models.PositiveBigIntegerField(default=0, help_text="Bytes that are here.")
    touched_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user", "mark", "size"], name="upload_once"),
            models.CheckConstraint(condition=Q(received__lte=models.F("size")), name="upload_within_its_size"),
        ]
