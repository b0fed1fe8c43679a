from django.apps import AppConfig


class StudioConfig(AppConfig):
    name = "regie.studio"
    label = "studio"
