from django.apps import AppConfig


class CommunityConfig(AppConfig):
    name = "regie.community"
    label = "community"

    def ready(self) -> None:
        from regie.community import telling

        telling.register()
        telling.listen()
