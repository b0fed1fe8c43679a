"""A delivery that comes again is known by its body. Rows of before have no digest: what they hold may come once more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("community", "0003_moderating")]
    operations = [
        migrations.AddField(
            "intake",
            "digest",
            models.BinaryField(help_text="SHA-256 of the body: what comes again is known.", max_length=32, null=True),
        ),
        migrations.AddConstraint("intake", models.UniqueConstraint(fields=["inbox", "digest"], name="intake_once")),
    ]
