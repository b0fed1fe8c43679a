from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_initial")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="avatar_source",
            field=models.TextField(blank=True, default="", help_text="Where the network shows its picture."),
            preserve_default=False,
        ),
        migrations.AlterModelOptions(name="networkapp", options={"ordering": ["network", "server"]}),
    ]
