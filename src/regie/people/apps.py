from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "regie.people"
    label = "people"

    def ready(self) -> None:
        from regie.people import telling

        telling.register()
