from django.db import migrations, models

import regie.core.clock


class Migration(migrations.Migration):
    dependencies = [("community", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="inbox",
            name="tell_at",
            field=models.DateTimeField(
                default=regie.core.clock.now, help_text="When to tell the network our address (again)."
            ),
        ),
    ]
