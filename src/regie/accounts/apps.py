from dataclasses import replace

from django.apps import AppConfig
from django.conf import settings


class AccountsConfig(AppConfig):
    name = "regie.accounts"
    label = "accounts"

    def ready(self) -> None:
        """The operator's addresses reach the connectors that keep some of their own."""
        from regie.networks.bluesky.connector import Bluesky

        given = {name: url.rstrip("/") for name, url in settings.NETWORK_ADDRESSES.get("bluesky", {}).items() if url}
        if "api_url" in given:
            Bluesky.default_server = given["api_url"]
        known = {name: given[f"{name}_url"] for name in ("plc", "web") if f"{name}_url" in given}
        Bluesky.addresses = replace(Bluesky.addresses, **known)

        from regie.accounts import tasks, telling
        from regie.accounts.signals import account_connected

        telling.register()
        account_connected.connect(tasks.ask_for_avatar, dispatch_uid="accounts.ask_for_avatar")
