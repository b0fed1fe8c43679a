"""News of accounts, for later apps: both carry ``account``, and are sent after the transaction."""

from django.dispatch import Signal

account_connected = Signal()
account_disconnected = Signal()

asked_to_wait = Signal()
"""``account_id``, ``until``: its network asked us to leave it alone."""
