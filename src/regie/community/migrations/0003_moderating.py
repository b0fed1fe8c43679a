import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("community", "0002_inbox_tell_at"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(model_name="message", name="hidden_at", field=models.DateTimeField(null=True)),
        *(
            migrations.AddField(
                model_name="message",
                name=name,
                field=models.ForeignKey(
                    help_text=help_text,
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            )
            for name, help_text in (
                ("hidden_by", ""),
                ("gone_by", "Who deleted it from here; None: somebody on the network."),
            )
        ),
    ]
