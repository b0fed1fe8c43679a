from dataclasses import replace

from django.apps import AppConfig
from django.conf import settings


class AccountsConfig(AppConfig):
    name = "regie.accounts"
    label = "accounts"

    def ready(self) -> None:
        """What the operator set reaches the connectors that keep some of it."""
        from regie.accounts.hooks import app_webhook
        from regie.networks.bluesky.connector import Bluesky
        from regie.networks.linkedin.connector import LinkedIn

        given = {name: url.rstrip("/") for name, url in settings.NETWORK_ADDRESSES.get("bluesky", {}).items() if url}
        if "api_url" in given:
            Bluesky.default_server = given["api_url"]
        known = {name: given[f"{name}_url"] for name in ("plc", "web", "video") if f"{name}_url" in given}
        Bluesky.addresses = replace(Bluesky.addresses, **known)

        told = settings.NETWORK_ADDRESSES.get("linkedin", {})
        LinkedIn.version = told.get("version") or LinkedIn.version
        LinkedIn.application = told.get("application", "")
        LinkedIn.webhook = app_webhook("linkedin")

        from regie.accounts import tasks, telling
        from regie.accounts.signals import account_connected

        telling.register()
        account_connected.connect(tasks.ask_for_avatar, dispatch_uid="accounts.ask_for_avatar")
