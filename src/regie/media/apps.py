from django.apps import AppConfig


class MediaConfig(AppConfig):
    name = "regie.media"
    label = "media"
