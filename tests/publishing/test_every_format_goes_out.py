"""Every format that a network declares, from the calendar through the engine to the sandbox, which tells of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.media import making, services
from regie.media.models import Rendition
from regie.networks import registry
from regie.networks.capabilities import Capabilities
from regie.people.models import Member
from regie.publishing.models import Delivery
from regie.studio.content import MediaUse, Part
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
POLL = {"options": ["Tea", "Coffee"], "question": "Which?", "minutes": 1440}
Files = tuple[str, ...]
CHOSEN: dict[str, dict[str, Any]] = {  # what these want to know before anything goes out
    "tiktok": {"privacy": "PUBLIC_TO_EVERYONE", "consent": True},
    "youtube": {"title": "A walk", "made_for_kids": "no", "privacy": "public"},
}


def formats(can: Capabilities) -> Iterator[tuple[str, tuple[Files, ...], dict[str, Any]]]:
    """The name of each, the files of each of its parts, and what its content says besides."""
    if not can.media_required:
        yield "text", ((),), {}
    if can.images is not None:
        yield "picture", (("a.jpg",),), {}
    if can.images is not None and can.images.most > 1:
        yield "carousel", (("a.jpg", "b.jpg"),), {}
    if can.video is not None:
        yield "video", (("c.mp4",),), {}
    if can.mixed_media:
        yield "both", (("a.jpg", "c.mp4"),), {}
    if can.documents is not None:
        yield "document", (("d.pdf",),), {}
    if can.sounds is not None:
        yield "sound", (("e.mp3",),), {}
    if can.short is not None:
        yield "short", (("tall.mp4",),), {"format": "short"}
    if can.story_images is not None:
        yield "story", (("a.jpg",),), {"format": "story"}
    if can.story_video is not None:
        yield "story of a video", (("tall.mp4",),), {"format": "story"}
    if can.poll is not None:
        yield "poll", ((),), {"poll": POLL}
    if can.thread > 1:
        yield "thread", ((), ("a.jpg",) if can.images is not None else ()), {}
    if can.first_comment:
        shown = () if not can.media_required else ("a.jpg",) if can.images is not None else ("c.mp4",)
        yield "comment", (shown,), {"first_comment": "The first comment"}


@pytest.fixture
def bring(
    alice: Member,
    picture: Callable[..., BytesIO],
    video: Callable[..., BytesIO],
    paper: Callable[..., BytesIO],
    sound: Callable[..., BytesIO],
) -> Callable[[str], MediaUse]:
    """Each file once, however many posts use it."""
    kept: dict[str, int] = {}

    def make(name: str) -> MediaUse:
        if name not in kept:
            kind = name.rpartition(".")[2]
            source = {
                "mp4": lambda: video(*((540, 960) if name.startswith("tall") else (640, 360)), seconds=4),
                "pdf": lambda: paper(pages=2),
                "mp3": lambda: sound(seconds=3),
            }.get(kind, lambda: picture(320 + ord(name[0]), 320))()
            file = services.upload(workspace=alice.workspace, name=name, source=source, by=alice)
            kept[name] = file.pk
        return MediaUse(file=kept[name])

    return make


def fit() -> None:
    for rendition in Rendition.objects.exclude(state=Rendition.State.READY):
        asyncio.run(making.make(rendition.pk))


@pytest.mark.parametrize("network", registry.slugs())
def test_each_goes_out_once_as_it_was_planned(
    request: pytest.FixtureRequest,
    clock: Clock,
    connect: Callable[..., Account],
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    bring: Callable[[str], MediaUse],
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    live_server: Any,
    network: str,
) -> None:
    settings.PUBLIC_URL = live_server.url  # where networks fetch files
    sandbox: Sandbox = request.getfixturevalue(network)
    account, ready, kind = connect(sandbox), sandbox.itself.ready_account(), registry.connector(network)
    if "hosts" in ready:  # beside the first one
        monkeypatch.setattr(kind, "addresses", replace(kind.addresses, **ready["hosts"]))  # type: ignore[attr-defined]
    options = {str(account.pk): ready.get("options", CHOSEN.get(network, {}))}
    promised: dict[str, tuple[Delivery, list[tuple[str, int]]]] = {}
    for name, parts, more in formats(capabilities_of(account)):
        texts = [f"{name}, part {nth}" for nth, _ in enumerate(parts)]
        post = write_post(*texts, on=[account], options=options, **more)
        filled = [
            Part(text=text, media=[bring(one) for one in files]) for text, files in zip(texts, parts, strict=True)
        ]
        post.content["parts"] = [part.model_dump() for part in filled]
        post.save()
        expected = [(text, len(files)) for text, files in zip(texts, parts, strict=True)]
        if name == "comment":
            expected.append(("The first comment", 0))
        promised[name] = promise(post), expected
    for _ in range(12):
        fit()
        publish_due()
        clock.advance(seconds=20)
    there = {entry.remote_id: (entry.text, entry.media) for entry in sandbox.accepted()}
    for name, (delivery, expected) in promised.items():
        delivery.refresh_from_db()
        assert (name, delivery.state, delivery.problem, delivery.problem_facts) == (name, "published", "", {})
        took = [there[step.remote_id] for step in delivery.steps.order_by("position")]
        if name.startswith("story") or name == "poll":  # a story has no text there, and a poll's may be its question
            took, expected = [(expected[0][0], media) for _, media in took], expected
        assert (name, took) == (name, expected)
    visible = [entry for entry in sandbox.accepted() if entry.kind in ("post", "reply", "comment", "story")]
    assert len(visible) == sum(len(expected) for _, expected in promised.values())
