"""Files that people upload, and the renditions made of them so that networks take them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from regie.core import clock
from regie.people.models import Workspace


class File(models.Model):
    """A picture as it was uploaded (HEIC is kept, and shown through its renditions)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=255)
    file = models.FileField(upload_to="files/%Y/%m/", max_length=300)
    thumbnail = models.FileField(upload_to="thumbnails/%Y/%m/", max_length=300, blank=True)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    alt = models.TextField(blank=True, help_text="What the picture shows, for those who do not see it.")
    focus_x = models.FloatField(default=0, help_text="-1 left .. 1 right")
    focus_y = models.FloatField(default=0, help_text="-1 bottom .. 1 top")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "sha256"], name="file_once")]
        indexes = [models.Index(fields=["workspace", "-created_at"], name="file_of_workspace")]
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.name


class Rendition(models.Model):
    """A file made to fit one set of limits: ``recipe`` says which (content type, longest side, bytes)."""

    original = models.ForeignKey(File, on_delete=models.CASCADE, related_name="renditions")
    recipe = models.CharField(max_length=120)
    file = models.FileField(upload_to="renditions/%Y/%m/", max_length=300)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["original", "recipe"], name="rendition_once")]
