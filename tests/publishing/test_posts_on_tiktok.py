"""TikTok: the last part of an upload publishes, and a publish id written down before it says what became of it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from regie.accounts.models import Account
from regie.accounts.opening import seal_credentials
from regie.community.arriving import store
from regie.community.reading import join
from regie.media import services
from regie.networks.data import Messages
from regie.people.models import Member, Notice
from regie.publishing import services as publishing
from regie.publishing.models import Attempt, Delivery
from regie.studio.content import MediaUse, Part
from regie.studio.models import Post

from .going import fit, later, state_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
Due = Callable[[], None]
Show = Callable[..., Delivery]
CHOSEN: dict[str, Any] = {"privacy": "PUBLIC_TO_EVERYONE", "consent": True}
WORDS = "Walk with us 👋"


@pytest.fixture
def account(tiktok: Sandbox, connect: Callable[..., Account], settings: Any) -> Account:
    settings.PUBLIC_URL = "https://regie.example"
    tiktok.itself.fetches = False  # nobody is at that address
    return connect(tiktok)


@pytest.fixture
def show(
    alice: Member,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    picture: Callable[..., BytesIO],
    video: Callable[..., BytesIO],
) -> Show:
    """Promises a video, or photos, for now."""

    def make(*names: str, **chosen: Any) -> Delivery:
        post = write_post(WORDS, on=[account], options={"tiktok": {**CHOSEN, **chosen}})
        uses = []
        for name in names:
            source = video(360, 640, seconds=4) if name.endswith("mp4") else picture(400 + ord(name[0]), 400)
            uses.append(
                MediaUse(file=services.upload(workspace=alice.workspace, name=name, source=source, by=alice).pk)
            )
        post.content["parts"] = [Part(text=WORDS, media=uses).model_dump()]
        post.save()
        delivery = promise(post)
        fit()
        return delivery

    return make


@pytest.mark.parametrize("files", [("walk.mp4",), ("a.jpg", "b.jpg")])
def test_it_goes_out_once_with_a_receipt(
    clock: Clock, tiktok: Sandbox, show: Show, publish_due: Due, files: tuple[str, ...]
) -> None:
    tiktok.itself.processing_seconds, tiktok.itself.moderation_seconds = 30, 60
    delivery = show(*files)
    later(clock, publish_due, 3)
    assert state_of(delivery) == "processing"
    later(clock, publish_due)
    assert state_of(delivery) == "published"
    (entry,) = tiktok.accepted()
    assert (entry.text, entry.media, entry.remote_id) == (WORDS, len(files), delivery.remote_id)


@pytest.mark.parametrize(
    "fault",
    [
        ("will_lose_answer", {"path": "creator_info"}),
        ("will_lose_answer", {"path": "video/init"}),
        ("will_drop", {"path": "video/init"}),
        ("will_lose_answer", {"method": "PUT"}),
        ("will_drop", {"method": "PUT"}),
        ("will_do_but_answer", {"status": 504, "method": "PUT"}),
        ("will_answer", {"status": 500, "path": "status/fetch"}),
        ("will_lose_answer", {"path": "status/fetch"}),
    ],
    ids=lambda fault: f"{fault[0]} {next(reversed(fault[1].values()))}",
)
def test_whatever_breaks_on_the_way_it_is_one_post(
    clock: Clock, tiktok: Sandbox, show: Show, publish_due: Due, fault: tuple[str, dict[str, Any]]
) -> None:
    name, where = fault
    getattr(tiktok.itself.faults, name)(**where)
    delivery = show("walk.mp4")
    later(clock, publish_due, 20)
    assert state_of(delivery) == "published"
    assert len(tiktok.accepted()) == 1


def test_photos_whose_answer_was_lost_are_found_by_their_words(
    clock: Clock, tiktok: Sandbox, show: Show, publish_due: Due
) -> None:
    tiktok.itself.faults.will_lose_answer(path="content/init")
    delivery = show("a.jpg")
    later(clock, publish_due)
    assert state_of(delivery) == "published"
    assert len(tiktok.accepted()) == 1
    kinds = Attempt.objects.filter(step__delivery=delivery).values_list("kind", flat=True)
    assert list(kinds).count("commit") == 1


def test_photos_that_never_arrived_are_not_sent_again_by_themselves(
    clock: Clock, tiktok: Sandbox, show: Show, publish_due: Due
) -> None:
    tiktok.itself.faults.will_drop(path="content/init")
    delivery = show("a.jpg")
    later(clock, publish_due, 20)
    assert state_of(delivery) == "unclear"
    assert tiktok.accepted() == []


def test_what_tiktok_refuses_says_why(clock: Clock, tiktok: Sandbox, show: Show, publish_due: Due) -> None:
    tiktok.itself.fails_with = "spam_risk_text"
    delivery = show("walk.mp4")
    later(clock, publish_due)
    assert state_of(delivery) == "refused"
    assert "spam" in delivery.problem
    assert tiktok.accepted() == []


def test_what_the_public_does_not_see_is_not_shown_as_published(
    clock: Clock, tiktok: Sandbox, show: Show, publish_due: Due
) -> None:
    delivery = show("walk.mp4", privacy="SELF_ONLY")
    later(clock, publish_due, 4)
    assert state_of(delivery) == "published"
    assert "only the account itself sees it" in delivery.limited
    assert delivery.remote_id in tiktok.itself.state.publishing  # its receipt: there is no public post
    assert delivery.url == ""


@pytest.mark.parametrize("loss", ["will_lose_answer", "will_drop"])
def test_a_business_account_s_video_is_one_post_or_a_person_s_to_settle(
    clock: Clock, tiktok: Sandbox, account: Account, show: Show, publish_due: Due, loss: str
) -> None:
    ready = tiktok.network.ready_account()["business"]
    seal_credentials(account, ready["credentials"])
    account.server, account.limits = ready["server"], {"login": "business", "username": "regie"}
    account.save()
    getattr(tiktok.itself.faults, loss)(path="video/publish")
    delivery = show("walk.mp4")
    later(clock, publish_due, 20)
    taken = loss == "will_lose_answer"
    assert state_of(delivery) == ("published" if taken else "unclear")
    assert len(tiktok.accepted()) == taken


def test_what_the_public_sees_at_last_is_no_longer_called_hidden(
    clock: Clock, account: Account, show: Show, publish_due: Due
) -> None:
    delivery = show("walk.mp4", privacy="SELF_ONLY")
    later(clock, publish_due, 4)
    inbox = join(account)
    assert inbox is not None
    store(inbox, Messages(messages=(), cursor="", shown=("another",)), cursor=False)
    delivery.refresh_from_db()
    assert delivery.limited
    store(inbox, Messages(messages=(), cursor="", shown=(delivery.remote_id,)), cursor=False)
    delivery.refresh_from_db()
    assert (delivery.limited, delivery.gone_at) == ("", None)
    store(inbox, Messages(messages=(), cursor="", gone=(delivery.remote_id,)), cursor=False)
    delivery.refresh_from_db()
    assert delivery.gone_at is not None


@pytest.mark.parametrize("status", [500, 429, 401, "401 with a token that can be renewed"])
def test_a_question_that_fails_does_not_stop_what_tiktok_works_on(
    clock: Clock, tiktok: Sandbox, account: Account, show: Show, publish_due: Due, alice: Member, status: int | str
) -> None:
    tiktok.itself.moderation_seconds = 7200
    delivery = show("walk.mp4")
    later(clock, publish_due, 3)
    assert state_of(delivery) == "processing"
    if isinstance(status, str):
        seal_credentials(account, {**tiktok.network.ready_account()["credentials"], "refresh_token": "used up"})
        account.save()
    clock.set("10:30")  # later than it may begin to go out
    tiktok.will_answer(status if isinstance(status, int) else 401, path="status/fetch")
    publish_due()
    assert (state_of(delivery), delivery.steps.get().state) == ("processing", "processing")
    assert Attempt.objects.latest("number").outcome in ("later", "sign_in")
    assert not Notice.objects.filter(kind__startswith="delivery.").exists()
    frozen = publishing.freeze(account, why="A crisis", by=alice)
    assert state_of(delivery) == "processing"
    publishing.lift(frozen, by=alice)
    Account.objects.filter(pk=account.pk).update(state="connected")  # after the 401s
    clock.set("11:10")
    later(clock, publish_due, 3)
    assert state_of(delivery) == "published"
    assert len(tiktok.accepted()) == 1
