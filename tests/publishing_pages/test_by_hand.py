"""Publishing by hand on a phone: the notice leads to text, files and steps; the link makes it a post like any other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.accounts.opening import open_credentials
from regie.core import clock as product_clock
from regie.core.times import WallTime
from regie.measure import services as measure
from regie.measure.models import Sample
from regie.media import services as media
from regie.people.models import Member, Notice
from regie.publishing import services
from regie.publishing.models import Delivery
from regie.studio.content import Content, MediaUse, Part
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def waiting(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    picture: Callable[..., BytesIO],
    publish_due: Callable[[], None],
    bob: Member,
) -> Delivery:
    """Its hour has come, and Bob is to publish it with a picture."""
    post = write_post("Good morning", on=[account], by_hand=True)
    file = media.upload(workspace=bob.workspace, name="coat.jpg", source=picture(), by=bob)
    said = Part(text="Good morning", media=[MediaUse(file=file.pk, alt="A coat")])
    post.content = Content(parts=[said], first_comment="#linen").as_json()
    post.save()
    post.files.add(file)
    post.variants.update(assignee=bob.user)
    delivery = services.schedule(post=post, at=WallTime.at(product_clock.now(), "Europe/Paris"), by=bob)[0]
    publish_due()
    delivery.refresh_from_db()
    assert delivery.state == "by_hand"
    return delivery


def test_the_notice_leads_to_all_that_a_phone_needs(
    waiting: Delivery, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    notice = Notice.objects.get()
    assert (notice.user, notice.urgent) == (bob.user, True)
    page = signed_in(bob).get(f"/w/atelier-nord/{notice.path}").text
    for piece in (
        "Copy the text",
        "Good morning",
        "download",
        "data-share-text",
        "Copy its alternative text",
        "A coat",
    ):
        assert piece in page
    assert "Paste its link here" in page
    assert "Part 1" not in page  # it has one, and a first comment is none


def test_the_link_brings_receipt_and_numbers(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    waiting: Delivery,
    bob: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    out = _published_on_the_phone(account)
    done = f"/w/atelier-nord/deliveries/{waiting.pk}/done/"
    signed_in(bob).post(done, {"link": out["url"]})
    waiting.refresh_from_db()
    assert (waiting.state, waiting.remote_id, waiting.url) == ("published", out["id"], out["url"])
    measure.plan_what_is_new()
    clock.advance(minutes=30)
    asyncio.run(measure.collect(account.pk))
    assert Sample.objects.filter(delivery=waiting).exists()


def _published_on_the_phone(account: Account) -> dict[str, str]:
    """The post as a person makes it, with the network's own app."""
    headers = {"Authorization": f"Bearer {open_credentials(account)['access_token']}"}
    wanted = Request(f"{account.server}/api/v1/statuses", data=urlencode({"status": "Good morning"}).encode())
    for name, value in headers.items():
        wanted.add_header(name, value)
    with urlopen(wanted) as reply:
        made: dict[str, str] = json.load(reply)
    return made


def test_what_was_not_done_in_time_is_missed_and_told_and_can_still_be_ticked(
    clock: Clock,
    waiting: Delivery,
    bob: Member,
    publish_due: Callable[[], None],
    signed_in: Callable[[Member], Client],
) -> None:
    clock.advance(minutes=61)
    publish_due()
    waiting.refresh_from_db()
    assert waiting.state == "missed"
    assert Notice.objects.filter(kind="delivery.missed").exists()
    here = f"/w/atelier-nord/deliveries/{waiting.pk}/"
    assert "Paste its link here" in signed_in(bob).get(f"{here}by-hand/").text
    signed_in(bob).post(f"{here}done/", {"link": "https://example.social/@regie/77"})
    waiting.refresh_from_db()
    assert waiting.state == "published"


def test_a_network_that_asks_to_wait_keeps_no_person_waiting(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    publish_due: Callable[[], None],
    bob: Member,
) -> None:
    mastodon.will_answer(429, headers={"X-RateLimit-Reset": "2030-03-01T09:40:00Z"})
    for text, by_hand in (("By itself", False), ("By hand", True)):
        clock.advance(minutes=1)
        at = WallTime.at(clock.moment, "Europe/Paris")
        services.schedule(post=write_post(text, on=[account], by_hand=by_hand), at=at, by=bob)
        publish_due()
    assert Delivery.objects.get(variant__by_hand=False).state == "scheduled"
    assert Delivery.objects.get(variant__by_hand=True).state == "by_hand"
    assert Notice.objects.filter(kind="delivery.by_hand", user=bob.user).count() == 1


def test_whose_task_it_was_hears_that_it_was_missed_and_who_left_hears_nothing(
    clock: Clock, waiting: Delivery, seat: Callable[..., Member], publish_due: Callable[[], None]
) -> None:
    gael, gone = seat("Gaël", "guest"), seat("Inès", "guest")
    waiting.variant.assignee = gael.user
    waiting.variant.save()
    clock.advance(minutes=61)
    publish_due()
    assert Notice.objects.filter(kind="delivery.missed", user=gael.user).count() == 1

    waiting.variant.assignee = gone.user
    waiting.variant.save()
    gone.delete()
    services.send_again(waiting, by=seat("Paul", "editor"))
    publish_due()
    told = Notice.objects.filter(kind="delivery.by_hand", key__contains=f"{clock.moment:%Y%m%dT%H%M%S}")
    assert told.exists()
    assert gone.user not in [notice.user for notice in told]


def test_after_an_outage_it_is_told_as_missed_and_not_as_due(
    clock: Clock,
    account: Account,
    write_post: Callable[..., Post],
    publish_due: Callable[[], None],
    bob: Member,
) -> None:
    at = WallTime.at(clock.moment, "Europe/Paris")
    (delivery,) = services.schedule(post=write_post("Stale", on=[account], by_hand=True), at=at, by=bob)
    clock.advance(hours=3)
    publish_due()
    delivery.refresh_from_db()
    assert delivery.state == "missed"
    assert set(Notice.objects.values_list("kind", flat=True)) == {"delivery.missed"}


def test_by_hand_a_video_comes_with_its_cover_and_its_subtitles(
    account: Account,
    write_post: Callable[..., Post],
    picture: Callable[..., BytesIO],
    video: Callable[..., BytesIO],
    publish_due: Callable[[], None],
    bob: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    words = BytesIO(b"1\n00:00:00,100 --> 00:00:01,000\nBonjour\n")
    film, cover, subtitles = (
        media.upload(workspace=bob.workspace, name=name, source=source, by=bob)
        for name, source in (("wave.mp4", video()), ("cover.jpg", picture()), ("wave.srt", words))
    )
    post = write_post("Waves", on=[account], by_hand=True)
    use = MediaUse(file=film.pk, cover=cover.pk, captions=subtitles.pk, language="fr")
    post.content = Content(parts=[Part(text="Waves", media=[use])]).as_json()
    post.save()
    delivery = services.schedule(post=post, at=WallTime.at(product_clock.now(), "Europe/Paris"), by=bob)[0]
    publish_due()
    page = signed_in(bob).get(f"/w/atelier-nord/deliveries/{delivery.pk}/by-hand/").text
    for file in (film, cover, subtitles):
        assert f"/media/{file.pk}/{file.sha256}/original/" in page
    assert "<b>SRT</b>" in page
