"""News of accounts, for later apps: both carry ``account``, and are sent after the transaction."""

from django.dispatch import Signal

account_connected = Signal()
account_disconnected = Signal()
