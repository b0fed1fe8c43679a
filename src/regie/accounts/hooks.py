"""Where networks that bring the news of all accounts of an app find us, and the word by which they know the address."""

from __future__ import annotations

from django.conf import settings
from django.utils.crypto import salted_hmac

from regie.networks import registry
from regie.networks.protocols import ReceivesForApp


def brings_for_app(network: str) -> bool:
    return issubclass(registry.connector(network), ReceivesForApp)


def app_webhook(network: str) -> str:
    """The address to enter at the vendor; empty when nobody outside could reach us."""
    public = str(settings.PUBLIC_URL)
    return f"{public}/webhooks/{network}/" if public.startswith("https://") else ""


def verify_token(network: str) -> str:
    """What the vendor shows when it looks whether the address is ours. Derived from the installation's own key."""
    return salted_hmac("regie.accounts.hooks", network, algorithm="sha256").hexdigest()[:40]
