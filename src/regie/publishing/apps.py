from django.apps import AppConfig


class PublishingConfig(AppConfig):
    name = "regie.publishing"
    label = "publishing"

    def ready(self) -> None:
        from regie.publishing import listening, telling

        telling.register()
        listening.register()
