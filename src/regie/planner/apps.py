from django.apps import AppConfig


class PlannerConfig(AppConfig):
    name = "regie.planner"
    label = "planner"
