from django.apps import AppConfig


class MeasureConfig(AppConfig):
    name = "regie.measure"
    label = "measure"
