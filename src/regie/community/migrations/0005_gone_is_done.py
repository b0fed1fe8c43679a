"""A message that its author took back waits for nobody: those of before are done, from when they were gone."""

from typing import Any

from django.db import migrations
from django.db.models import F


def close(apps: Any, _schema: Any) -> None:
    messages = apps.get_model("community", "Message").objects
    messages.filter(state="open").exclude(gone_at=None).update(state="done", done_at=F("gone_at"))


class Migration(migrations.Migration):
    dependencies = [("community", "0004_intake_once")]
    operations = [migrations.RunPython(close, migrations.RunPython.noop, elidable=True)]
