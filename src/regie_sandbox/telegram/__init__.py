"""Telegram's Bot API on a loopback port: channels, their discussion groups, groups, and people who talk there."""
