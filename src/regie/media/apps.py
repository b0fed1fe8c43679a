from django.apps import AppConfig


class MediaConfig(AppConfig):
    name = "regie.media"
    label = "media"

    def ready(self) -> None:
        from regie.media import telling

        telling.register()
