from django.apps import AppConfig


class StudioConfig(AppConfig):
    name = "regie.studio"
    label = "studio"

    def ready(self) -> None:
        from regie.studio import telling

        telling.register()
