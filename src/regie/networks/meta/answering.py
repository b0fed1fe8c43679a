"""For how long a person who wrote to a Page or an account may be answered. Sources: Messenger Platform, "Human Agent".

A day after the person's last word; seven days where Meta lets people (never programs) answer so late: a feature of the
app that its review gives, and that the operator then switches on here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from regie.networks.capabilities import Permit
from regie.networks.data import AppKeys, Outgoing

WINDOW, LONG_WINDOW = timedelta(hours=24), timedelta(days=7)
NEARLY = timedelta(minutes=5)  # before the day is over, as an answer may be on its way for a while
FEATURE = "human_agent"  # in ``AppKeys.extra``


def permit(login: str) -> Permit:
    return Permit(
        name=FEATURE,
        login=login,
        label="Messages can be answered for seven days",
        help="Only where Meta's review gave your app the feature Human Agent. Without it, nobody can answer once a day "
        "has passed since the person's last message.",
        permissions=("Human Agent",),
    )


def answer_until(said_at: datetime, app: AppKeys | None) -> datetime:
    return said_at + (LONG_WINDOW if app is not None and app.extra.get(FEATURE) else WINDOW)


def tagged(outgoing: Outgoing, app: AppKeys | None) -> Mapping[str, Any]:
    """What an answer says of itself: on its day that it is one, later that a person wrote it."""
    to = outgoing.reply_to
    said = str(to.extra.get("said_at", "")) if to is not None else ""
    late = bool(said) and outgoing.planned_at >= datetime.fromisoformat(said) + WINDOW - NEARLY
    if late and app is not None and app.extra.get(FEATURE):
        return {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    return {"messaging_type": "RESPONSE"}
