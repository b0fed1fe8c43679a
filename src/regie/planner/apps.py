from django.apps import AppConfig


class PlannerConfig(AppConfig):
    name = "regie.planner"
    label = "planner"

    def ready(self) -> None:
        from regie.planner import listening, telling

        telling.register()
        listening.register()
