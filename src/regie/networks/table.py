"""Network by capability: what works, with the test that shows it; what the network does not offer, with the source.

``exercised.json`` is written by ``make networks`` from a run of the contract suite: a test that publishes, reads or
measures on a sandbox names what it shows (``@pytest.mark.shows``), and only one that passed is written down. What a
connector declares and no test showed, or what it lacks without a reason in ``lacks.py``, is *not yet*.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from regie.networks import registry
from regie.networks.capabilities import Answering, Arrival, Capabilities, MessageKind
from regie.networks.lacks import LACKS

State = Literal["works", "not offered", "not yet"]


@dataclass(frozen=True, slots=True)
class Cell:
    """``why``: the test that shows it, or the source that says the network has no such thing."""

    state: State
    why: str = ""


DECLARED: Mapping[str, Callable[[Capabilities], bool]] = {
    "text": lambda can: can.text.longest > 0,
    "image": lambda can: can.images is not None,
    "carousel": lambda can: can.images is not None and can.images.most > 1,
    "video": lambda can: can.video is not None,
    "short": lambda can: can.short is not None,
    "story": lambda can: can.story,
    "thread": lambda can: can.thread > 1,
    "poll": lambda can: can.poll is not None,
    "document": lambda can: can.documents is not None,
    "audio": lambda can: can.sounds is not None,
    "first_comment": lambda can: can.first_comment,
    "edit": lambda can: can.edit,
    "delete": lambda can: can.delete,
    "comments_read": lambda can: bool(can.reads - {MessageKind.DIRECT, MessageKind.REVIEW}),
    "reply": lambda can: Answering.REPLY in can.answers,
    "hide": lambda can: Answering.HIDE in can.answers,
    "messages": lambda can: MessageKind.DIRECT in can.reads,
    "reviews": lambda can: MessageKind.REVIEW in can.reads,
    "metrics_post": lambda can: bool(can.post_metrics),
    "metrics_account": lambda can: bool(can.account_metrics),
    "webhooks": lambda can: Arrival.WEBHOOK in can.arrival,
    "sign_in": lambda can: bool(can.sign_in),
}


def cells(slug: str) -> dict[str, Cell]:
    """Each capability's cell, in the order of ``DECLARED``. Raises KeyError for a network that we do not speak."""
    can, lacks, shown = registry.connector(slug).can, LACKS.get(slug, {}), exercised().get(slug, {})
    return {name: _cell(name, declared(can), lacks, shown) for name, declared in DECLARED.items()}


def _cell(name: str, declares: bool, lacks: Mapping[str, str], shown: Mapping[str, str]) -> Cell:
    if declares:
        return Cell("works", shown[name]) if name in shown else Cell("not yet")
    return Cell("not offered", lacks[name]) if name in lacks else Cell("not yet")


@cache
def exercised() -> dict[str, dict[str, str]]:
    """Slug -> capability -> the test that showed it when the table was last made."""
    found: dict[str, dict[str, str]] = json.loads(files("regie.networks").joinpath("exercised.json").read_text())
    return found
