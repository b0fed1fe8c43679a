"""``regie demo-data``: two brands with 90 days behind them, played through the real product against the sandbox."""

from __future__ import annotations

import shutil

from regie.cli.django import ready, tell
from regie.cli.errors import Stop
from regie.config.env import env

MARK = "demo-filled"


def run() -> int:
    """Fills an empty demo; does nothing when it is filled. One that was cut short begins again from nothing.

    Raises Stop outside a demo: it would empty the database.
    """
    if not env().demo:
        raise Stop("This fills a demo only. Run: regie demo")
    mark = env().data / MARK
    if mark.exists():
        return 0
    sandbox = env().data / "sandbox"
    with ready():
        from django.core.management import call_command

        from regie.cli.demo.play import play
        from regie.cli.demo.stage import Stage
        from regie.people.models import User
        from regie.publishing.models import Installation

        if User.objects.exists():
            call_command("flush", interactive=False, verbosity=0)
            Installation.objects.get_or_create(pk=1)
        shutil.rmtree(sandbox, ignore_errors=True)
        tell("Playing 90 days of two brands; this happens once ...")
        with Stage(data=sandbox, first_port=env().sandbox_port) as stage:
            play(stage)
    mark.touch()
    return 0
