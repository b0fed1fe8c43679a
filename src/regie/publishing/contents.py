"""From a variant to the steps of its delivery: exactly what each part says on its account."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.db.models import Q, QuerySet

from regie.accounts.opening import capabilities_of
from regie.media.errors import CannotFit
from regie.media.making import ask_for, ask_for_show, ask_for_sound
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
        if names := {name: known for name, known in sent.names.get(str(account), {}).items() if name in chosen}:
            steps[0]["names"] = names
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
    return {name: value for name, value in use.as_json().items() if name != "cut" or value}


def has_video(content: Content) -> bool:
    return bool(content.file_ids) and _moving(content).exists()


def _moving(content: Content) -> QuerySet[File]:
    """The videos of a content, and the sounds of which videos may be made."""
    shown = {use.file for part in content.parts for use in part.media if use.as_video}
    videos = Q(pk__in=content.file_ids, kind=File.Kind.VIDEO)
    return File.objects.filter(videos | Q(pk__in=shown, kind=File.Kind.SOUND))


def ask_for_videos(content: Content, can: Capabilities) -> None:
    """Lets videos and sounds be made to fit the network. What is out of its reach is refused elsewhere, with the
    reason."""
    limits = can.video_in(content.format)
    if not content.file_ids:
        return
    _ask_for_sounds(content, can)
    if limits is None:
        return
    uses = {use.file: use for part in content.parts for use in part.media}
    covers = File.objects.in_bulk([use.cover for use in uses.values() if use.cover])
    for file in _moving(content):
        use = uses[file.pk]
        with suppress(CannotFit):
            if file.is_video:
                ask_for(file, limits, cut=use.cut)
            elif can.sounds is None and use.cover in covers:
                ask_for_show(file, covers[use.cover], limits, cut=use.cut)


def _ask_for_sounds(content: Content, can: Capabilities) -> None:
    if can.sounds is None:
        return
    for file in File.objects.filter(pk__in=content.file_ids, kind=File.Kind.SOUND):
        with suppress(CannotFit):
            ask_for_sound(file, can.sounds)
