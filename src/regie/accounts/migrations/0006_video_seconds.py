"""How long a video takes on an account, beside pictures. The database fills it in, so nothing waits for it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_reconnect_by")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="video_seconds",
            field=models.FloatField(db_default=60.0, default=60.0, help_text="The same where there is a video."),
        ),
    ]
