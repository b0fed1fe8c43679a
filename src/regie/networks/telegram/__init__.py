"""Telegram: channels and groups that a bot administers. Start at ``connector.py``; the facts are in NOTES.md."""
