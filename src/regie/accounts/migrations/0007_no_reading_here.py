"""When messages were last read, and up to where, is said of inboxes (``community.Inbox``). Nobody read it here."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_video_seconds")]

    operations = [
        migrations.RemoveField(model_name="account", name="read_at"),
        migrations.RemoveField(model_name="account", name="read_cursor"),
    ]
