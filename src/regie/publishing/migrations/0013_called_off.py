"""What people called off while it was in doubt: it is looked for, and never sent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("publishing", "0012_doubt_from")]
    operations = [
        migrations.AddField(
            "delivery",
            "called_off",
            models.BooleanField(
                db_default=False,
                default=False,
                help_text="A person cancelled it when it may have been out already: it is looked for, and never sent.",
            ),
        ),
    ]
