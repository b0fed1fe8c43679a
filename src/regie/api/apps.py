from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "regie.api"
    label = "api"

    def ready(self) -> None:
        from regie.api import telling

        telling.register()
