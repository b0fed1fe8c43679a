"""What a publisher is given to. The column has a value of the database's own, for publishers of the version before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("publishing", "0010_said_facts")]
    operations = [
        migrations.AddField(
            "publisher",
            "given_to",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text=(
                    "What it is given to: video (their uploads ahead of the hour), rest (all but those), or everything."
                ),
                max_length=10,
            ),
        ),
    ]
