"""Documents, sounds and subtitles beside pictures and videos: new columns with defaults of the database's own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media", "0003_videos")]

    operations = [
        migrations.AddField(
            model_name="file",
            name="language",
            field=models.CharField(
                blank=True, db_default="", help_text="Of subtitles, as their name says.", max_length=12
            ),
        ),
        migrations.AddField(
            model_name="file",
            name="pages",
            field=models.PositiveIntegerField(
                blank=True, help_text="Of a document; empty where nobody can tell.", null=True
            ),
        ),
        migrations.AddField(
            model_name="file",
            name="title",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="Of a document or a sound, as its readers see it.",
                max_length=255,
            ),
        ),
        migrations.AlterField(model_name="file", name="height", field=models.PositiveIntegerField(default=0)),
        migrations.AlterField(model_name="file", name="width", field=models.PositiveIntegerField(default=0)),
        migrations.AlterField(
            model_name="file",
            name="kind",
            field=models.CharField(
                choices=[
                    ("picture", "Picture"),
                    ("video", "Video"),
                    ("document", "Document"),
                    ("sound", "Sound"),
                    ("captions", "Captions"),
                ],
                db_default="picture",
                default="picture",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="file",
            name="seconds",
            field=models.FloatField(blank=True, help_text="How long a video or a sound lasts.", null=True),
        ),
        migrations.AddConstraint(
            model_name="file",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "sound"), ("seconds", None), _negated=True), name="file_sound_lasts"
            ),
        ),
    ]
