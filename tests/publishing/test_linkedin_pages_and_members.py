"""LinkedIn through the engine: what it shows, Pages whose posts are looked for, members whose posts nobody shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from regie.accounts.models import Account
from regie.media import making, services
from regie.media.models import Rendition
from regie.people.models import Member
from regie.publishing.models import Attempt, Delivery
from regie.studio.content import MediaUse, Part
from regie.studio.models import Post

from .going import later, state_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
Due = Callable[[], None]
Write = Callable[..., Post]
Promise = Callable[..., Delivery]
CARD = {"linkedin": {"link": "https://example.org/menu", "title": "The menu"}}

KINDS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "text": ((), {}),
    "picture": (("a.jpg",), {}),
    "pictures": (("a.jpg", "b.jpg"), {}),
    "video": (("c.mp4",), {}),
    "document": (("d.pdf",), {}),
    "card": (("a.jpg",), {"options": CARD}),
    "poll": ((), {"poll": {"options": ["Tea", "Coffee"], "question": "Which?", "minutes": 1440}}),
    "comment": ((), {"first_comment": "#menu"}),
}
SHOWN = {
    "text": "text",
    "picture": "media",
    "pictures": "multiImage",
    "video": "media",
    "document": "media",
    "card": "article",
    "poll": "poll",
    "comment": "text",
}


@pytest.fixture
def member_account(linkedin: Sandbox, connect: Callable[..., Account]) -> Account:
    """The Page's administrator, through an app that may publish for them only."""
    ready: dict[str, Any] = linkedin.network.ready_account()["profile"]

    class Profile:
        class network:  # noqa: N801 - stands where a sandbox has one
            slug = "linkedin"

            @staticmethod
            def ready_account(name: str) -> dict[str, Any]:
                return ready

    return connect(Profile)


@pytest.fixture
def show(
    alice: Member,
    linkedin_account: Account,
    write_post: Write,
    promise: Promise,
    picture: Callable[..., BytesIO],
    video: Callable[..., BytesIO],
    paper: Callable[..., BytesIO],
) -> Callable[[str], Delivery]:
    """Promises a post of one of KINDS to the Page, for now; its videos are made to fit."""

    def source(name: str) -> BytesIO:
        if name.endswith("mp4"):
            return video(320, 180, seconds=4, noise=True, title=name)
        return paper(pages=3, title="The menu") if name.endswith("pdf") else picture(320 + ord(name[0]), 320)

    def make(kind: str) -> Delivery:
        names, more = KINDS[kind]
        files = [services.upload(workspace=alice.workspace, name=name, source=source(name), by=alice) for name in names]
        post = write_post("Good morning", on=[linkedin_account], **more)
        uses = [MediaUse(file=file.pk) for file in files]
        post.content["parts"] = [Part(text="Good morning", media=uses).model_dump()]
        post.save()
        delivery = promise(post)
        for rendition in Rendition.objects.exclude(state=Rendition.State.READY):
            asyncio.run(making.make(rendition.pk))
        return delivery

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_goes_out_once_and_is_found_though_its_answer_was_lost(
    clock: Clock, linkedin: Sandbox, show: Callable[[str], Delivery], publish_due: Due, kind: str
) -> None:
    delivery = show(kind)
    linkedin.faults.will_lose_answer(path="/rest/posts", method="POST")
    later(clock, publish_due, 20)
    assert (state_of(delivery), delivery.problem) == ("published", "")
    assert linkedin.texts() == ["Good morning"]
    (post,) = linkedin.itself.state.posts.values()
    assert next(iter(post.body.get("content", {"text": None}))) == SHOWN[kind]
    assert [one.text for one in linkedin.itself.state.comments.values()] == ["#menu"] * (kind == "comment")


def test_a_link_goes_out_as_the_card_that_was_described(
    clock: Clock, linkedin: Sandbox, linkedin_account: Account, write_post: Write, promise: Promise, publish_due: Due
) -> None:
    delivery = promise(write_post("Have a look", on=[linkedin_account], options=CARD))
    publish_due()
    assert state_of(delivery) == "published"
    content = linkedin.itself.state.posts[delivery.remote_id].body["content"]
    assert content == {"article": {"source": "https://example.org/menu", "title": "The menu"}}


def test_a_page_is_looked_at_and_the_post_is_found_once(
    clock: Clock, linkedin: Sandbox, linkedin_account: Account, write_post: Write, promise: Promise, publish_due: Due
) -> None:
    delivery = promise(write_post("Open #today (until six)", on=[linkedin_account]))
    linkedin.faults.will_lose_answer(path="/rest/posts", method="POST")
    publish_due()
    assert state_of(delivery) == "unclear"
    later(clock, publish_due)
    assert state_of(delivery) == "published"
    assert linkedin.texts() == ["Open #today (until six)"]


def test_nobody_knows_of_a_members_post_so_a_person_is_asked(
    clock: Clock, linkedin: Sandbox, member_account: Account, write_post: Write, promise: Promise, publish_due: Due
) -> None:
    delivery = promise(write_post("Mine", on=[member_account]))
    linkedin.faults.will_lose_answer(path="/rest/posts", method="POST")
    later(clock, publish_due, 30)
    assert state_of(delivery) == "unclear"
    assert Attempt.objects.filter(step__delivery=delivery, kind="commit").count() == 1
    author = linkedin.network.ready_account()["member"]
    assert linkedin.itself.texts(author) == ["Mine"]


def test_a_dead_version_of_the_api_loses_nothing(
    clock: Clock,
    linkedin: Sandbox,
    linkedin_account: Account,
    write_post: Write,
    promise: Promise,
    publish_due: Due,
) -> None:
    versions, linkedin.itself.versions = linkedin.itself.versions, frozenset(("203001",))
    delivery = promise(write_post("Hello", on=[linkedin_account]))
    later(clock, publish_due, 3)
    assert "REGIE_NETWORKS__LINKEDIN__VERSION" in Delivery.objects.get(pk=delivery.pk).problem
    linkedin.itself.versions = versions
    later(clock, publish_due, 60)
    assert state_of(delivery) == "published"
    assert linkedin.texts() == ["Hello"]
