"""Two networks that say nothing of a repeat but list what is there, Pinterest and VK: each post goes out once."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from regie.accounts.models import Account
from regie.media import services
from regie.people.models import Member
from regie.publishing.models import Delivery
from regie.studio.content import MediaUse, Part
from regie.studio.models import Post

from .going import fit

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
FILES: dict[str, tuple[str, ...]] = {
    "text": (),
    "picture": ("a.jpg",),
    "pictures": ("a.jpg", "b.jpg"),
    "video": ("c.mp4",),
    "comment": ("a.jpg",),  # with a first comment under it
}
CASES = [
    ("pinterest", "picture"), ("pinterest", "pictures"), ("pinterest", "video"), ("vk", "text"), ("vk", "pictures"),
    ("vk", "video"), ("vk", "comment"),
]  # fmt: skip
VISIBLE = {"pinterest": "/v5/pins", "vk": "wall.post"}


@pytest.fixture
def show(
    alice: Member,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    picture: Callable[..., BytesIO],
    video: Callable[..., BytesIO],
) -> Callable[[Account, str, dict[str, Any]], Delivery]:
    """Promises a post of one of FILES for now; its videos are made to fit."""

    def make(account: Account, kind: str, options: dict[str, Any]) -> Delivery:
        uses = []
        for name in FILES[kind]:
            source = video(seconds=5, title=name) if name.endswith("mp4") else picture(320 + ord(name[0]), 320)
            file = services.upload(workspace=alice.workspace, name=name, source=source, by=alice)
            uses.append(MediaUse(file=file.pk))
        post = write_post(kind, on=[account], options={str(account.pk): options} if options else {})
        post.content["parts"] = [Part(text=f"{kind} & <more>", media=uses).model_dump()]
        if kind == "comment":
            post.content["first_comment"] = "The link is here"
        post.save()
        delivery = promise(post)
        fit()
        return delivery

    return make


def until_settled(clock: Clock, publish_due: Callable[[], None], delivery: Delivery) -> str:
    for _ in range(16):
        publish_due()
        delivery.refresh_from_db()
        if delivery.state == "published":
            break
        clock.advance(seconds=20)
        fit()
    return str(delivery.state)


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize(("network", "kind"), CASES)
def test_it_goes_out_once_with_a_receipt_even_when_the_answer_was_lost(
    request: pytest.FixtureRequest,
    clock: Clock,
    connect: Callable[..., Account],
    show: Callable[..., Delivery],
    publish_due: Callable[[], None],
    network: str,
    kind: str,
    lost: bool,
) -> None:
    sandbox: Sandbox = request.getfixturevalue(network)
    account = connect(sandbox)
    delivery = show(account, kind, sandbox.itself.ready_account().get("options", {}))
    if lost:
        sandbox.itself.faults.will_lose_answer(path=VISIBLE[network], method="POST")
    assert until_settled(clock, publish_due, delivery) == "published"
    posts = [entry for entry in sandbox.accepted() if entry.kind == "post"]
    assert [(entry.text, entry.media) for entry in posts] == [(f"{kind} & <more>", len(FILES[kind]))]
    assert posts[0].remote_id == delivery.remote_id
    comments = [entry for entry in sandbox.accepted() if entry.kind == "reply"]
    assert [entry.text for entry in comments] == (["The link is here"] if kind == "comment" else [])


def test_a_first_comment_on_vk_whose_answer_was_lost_is_found(
    clock: Clock,
    vk: Sandbox,
    connect: Callable[..., Account],
    show: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    delivery = show(connect(vk), "comment", {})
    vk.itself.faults.will_lose_answer(path="createComment")
    assert until_settled(clock, publish_due, delivery) == "published"
    assert [entry.kind for entry in vk.accepted()] == ["post", "reply"]
