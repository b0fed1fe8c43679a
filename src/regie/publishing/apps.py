from django.apps import AppConfig


class PublishingConfig(AppConfig):
    name = "regie.publishing"
    label = "publishing"
