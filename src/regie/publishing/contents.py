"""From a variant to the steps of its delivery: exactly what each part says on its account."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.db.models import QuerySet

from regie.accounts.opening import capabilities_of
from regie.media.errors import CannotFit
from regie.media.making import ask_for
from regie.media.models import File
from regie.networks.capabilities import Capabilities, Format
from regie.networks.options import Value, said
from regie.publishing.models import Delivery
from regie.studio.checks import as_sent
from regie.studio.content import Content, MediaUse, Part

Step = dict[str, Any]
COMMENT = "comment"  # the mark of a step that is the first comment


def steps_of(content: Content, can: Capabilities, *, network: str, account: int) -> list[Step]:
    """One step per part, and one for the first comment. The poll and the options go with the first; warning, language
    and visibility with all parts."""
    sent = as_sent(content, can)
    steps = [_step(sent, part, first=number == 0) for number, part in enumerate(sent.parts)]
    if chosen := _chosen(sent, can, network, account):
        steps[0]["options"] = chosen
    if sent.first_comment.strip():
        steps.append({"text": sent.first_comment.strip(), "media": [], COMMENT: True})
    return steps


def steps_of_delivery(delivery: Delivery) -> list[Step]:
    """As its post reads now."""
    account = delivery.account
    return steps_of(
        delivery.variant.document, capabilities_of(account), network=account.network, account=delivery.account_id
    )


def _chosen(content: Content, can: Capabilities, network: str, account: int) -> dict[str, Value]:
    """What a person chose of the options that a post of its format has here. What is chosen to begin with, and what
    goes with a kind of file only, the engine adds and takes away when it knows the files: ``networks.options``."""
    there = content.options_on(network, account)
    here = [option for option in can.options if content.format in option.formats]
    return {one.name: value for one in here if (value := said(one, there.get(one.name))) is not None}


def _step(content: Content, part: Part, *, first: bool) -> Step:
    step: Step = {"text": part.text.strip(), "media": [_use(use) for use in part.media]}
    if content.format is not Format.POST:
        step["format"] = str(content.format)
    if content.content_warning.strip():
        step["content_warning"] = content.content_warning.strip()
    if content.sensitive:
        step["sensitive"] = True
    if content.language:
        step["language"] = content.language
    if content.visibility:
        step["visibility"] = content.visibility
    if first and content.poll is not None:
        step["poll"] = content.poll.as_json()
    return step


def _use(use: MediaUse) -> dict[str, Any]:
    """What is not asked for is not written: an older step says the same."""
    return use.model_dump(exclude=None if use.cut else {"cut"})


def has_media(steps: list[Mapping[str, Any]] | list[Step]) -> bool:
    return any(step.get("media") for step in steps)


def has_video(content: Content) -> bool:
    return bool(content.file_ids) and _videos(content).exists()


def _videos(content: Content) -> QuerySet[File]:
    return File.objects.filter(pk__in=content.file_ids, kind=File.Kind.VIDEO)


def ask_for_videos(content: Content, can: Capabilities) -> None:
    """Lets the videos be made to fit the network. What is out of its reach is refused elsewhere, with the reason."""
    limits = can.video_in(content.format)
    if limits is None or not content.file_ids:
        return
    cut = {use.file: use.cut for part in content.parts for use in part.media}
    for file in _videos(content):
        with suppress(CannotFit):
            ask_for(file, limits, cut=cut[file.pk])
