from django.apps import AppConfig


class CommunityConfig(AppConfig):
    name = "regie.community"
    label = "community"
