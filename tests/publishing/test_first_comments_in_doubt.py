"""A first comment whose answer was lost is looked for where the account's comments can be read: once, or a person."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from regie.accounts.models import Account
from regie.accounts.opening import seal_credentials
from regie.media import services as media
from regie.people.models import Member
from regie.publishing.models import Delivery
from regie.studio.content import MediaUse, Part
from regie.studio.models import Post

from .going import until

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
Due = Callable[[], None]
Show = Callable[..., Delivery]
SAYS = {  # the visible call of a comment, and how many of those calls go before it
    "linkedin": ("/comments", 0),
    "reddit": ("/api/comment", 0),
    "threads": ("/threads_publish", 1),
    "tiktok": ("/comment/create", 0),
}
WORDS = "#linen"


@pytest.fixture(params=SAYS)
def network(request: pytest.FixtureRequest) -> Sandbox:
    sandbox: Sandbox = request.getfixturevalue(request.param)
    return sandbox


@pytest.fixture
def account(network: Sandbox, connect: Callable[..., Account], settings: Any) -> Account:
    settings.PUBLIC_URL = "https://regie.example"
    made = connect(network)
    if network.network.slug == "tiktok":  # comments come with the login for business accounts
        network.itself.fetches = False  # nobody is at that address
        ready = network.network.ready_account()["business"]
        made.server, made.limits = ready["server"], {"login": "business", "username": "regie"}
        seal_credentials(made, ready["credentials"])
        made.save()
    return made


@pytest.fixture
def show(
    alice: Member,
    network: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    picture: Callable[..., BytesIO],
) -> Show:
    """Promises a post with a first comment, for now."""
    slug = network.network.slug

    def make(text: str = "Good morning", **chosen: str) -> Delivery:
        ready = network.network.ready_account()
        switches = {"allow_comments": True} if slug == "tiktok" else {}
        options = {slug: {**ready.get("options", {}), **switches, **chosen}}
        post = write_post(text, on=[account], options=options, first_comment=WORDS)
        if slug == "tiktok":
            file = media.upload(workspace=alice.workspace, name="a.jpg", source=picture(), by=alice)
            post.content["parts"] = [Part(text=text, media=[MediaUse(file=file.pk)]).model_dump()]
            post.save()
        return promise(post)

    return make


def comments(network: Sandbox) -> list[tuple[str, str]]:
    """(what it stands under, its words) of each comment, as the network keeps them."""
    state: Any = network.itself.state
    match network.network.slug:
        case "reddit":
            return [(one.parent, one.text) for one in state.comments.values()]
        case "threads":
            return [(one.parent, one.text) for one in state.media.values() if one.parent]
        case _:
            return [(one.post, one.text) for one in state.comments.values()]


def lose(network: Sandbox, *, taken: bool) -> None:
    """The comment's answer is lost: after it was taken, or before."""
    path, before = SAYS[network.network.slug]
    if taken:
        network.faults.will_lose_answer(path=path, method="POST", after=before)
    else:
        network.faults.will_answer(503, path=path, method="POST", after=before)


@pytest.mark.parametrize("taken", [True, False])
def test_it_is_there_once_in_the_end(clock: Clock, network: Sandbox, show: Show, publish_due: Due, taken: bool) -> None:
    lose(network, taken=taken)
    delivery = show()
    until("unclear", delivery, clock, publish_due)
    assert len(comments(network)) == taken
    until("published", delivery, clock, publish_due)
    assert comments(network) == [(delivery.remote_id, WORDS)]


def test_a_list_that_lags_sends_no_second_one(clock: Clock, network: Sandbox, show: Show, publish_due: Due) -> None:
    lose(network, taken=True)
    delivery = show()
    until("unclear", delivery, clock, publish_due)
    network.faults.listing_lag = 50
    until("published", delivery, clock, publish_due)
    assert comments(network) == [(delivery.remote_id, WORDS)]


def test_two_posts_with_the_same_comment_each_keep_their_own(
    clock: Clock, network: Sandbox, show: Show, publish_due: Due
) -> None:
    lose(network, taken=True)
    named = [{"title": title} if network.network.slug == "reddit" else {} for title in ("Linen", "Wool")]
    first, second = show("Linen", **named[0]), show("Wool", **named[1])
    until("published", first, clock, publish_due)
    until("published", second, clock, publish_due)
    assert sorted(comments(network)) == sorted([(first.remote_id, WORDS), (second.remote_id, WORDS)])
