"""Each delivery says from which version of its post its steps were written, so that the engine need not compare."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("publishing", "0003_freeze_of_a_campaign")]
    operations = [
        migrations.AddField(
            model_name="delivery",
            name="post_version",
            field=models.PositiveIntegerField(
                default=0, help_text="The version of the post that its steps were written from; 0: look again."
            ),
        )
    ]
