from django.apps import AppConfig


class PublishingConfig(AppConfig):
    name = "regie.publishing"
    label = "publishing"

    def ready(self) -> None:
        from regie.publishing import listening, remarks, telling, waiting

        telling.register()
        listening.register()
        waiting.register()
        remarks.register()
