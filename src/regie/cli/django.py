"""Database first, then Django: what every role and command does before it can work."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from regie.cli.errors import Stop
from regie.config import database
from regie.config.env import env
from regie.config.logs import dict_config
from regie.core import embedded


def tell(sentence: str) -> None:
    """A sentence for the person at the console; in a role's process with the role in front, as in its log lines."""
    front = f"{env().role:<9} " if env().role else ""
    sys.stderr.write(f"{front}{sentence}\n")
    sys.stderr.flush()


def take_role(name: str) -> None:
    """From here on this process, with those it starts, is a role: its log lines say so."""
    os.environ["REGIE_ROLE"] = name
    env.cache_clear()
    if "regie.config.settings" in sys.modules:  # loaded before the fork
        from django.conf import settings

        settings.LOGGING = dict_config(env())


@contextmanager
def database_up() -> Iterator[embedded.Running | None]:
    """A share in the embedded server (None with DATABASE_URL), held until the end. Raises Stop."""
    with ExitStack() as stack:
        try:
            given = env().database_url
            if given is not None:
                embedded.check_server(given.get_secret_value())
                yield None
                return
            running = stack.enter_context(embedded.ensure(env().data, progress=tell))
            database.use(running.url)
        except embedded.EmbeddedError as exc:
            raise Stop(str(exc)) from exc
        yield running


@contextmanager
def ready() -> Iterator[embedded.Running | None]:
    """Database up and Django loaded."""
    with database_up() as running:
        load_django()
        yield running


def load_django() -> None:
    """With the database that is up; again, when Django was loaded before it came up at another address."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regie.config.settings")
    import django
    from django.conf import settings

    settings.DATABASES["default"].update(database.django_settings(database.url()))
    django.setup()
