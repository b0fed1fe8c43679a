"""The queue's app, as every ``tasks.py`` uses it: ``from regie.people.jobs import app``."""

from __future__ import annotations

from procrastinate import App
from procrastinate.contrib.django import app

__all__ = ["app", "configure"]


def configure(app: App) -> None:
    """Called when Django is ready; tasks register themselves."""
