"""Every page of writing and planning, for every role: what a stranger asks for is not there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.core import clock as product_clock
from regie.core.times import WallTime
from regie.media import services as media
from regie.media.making import ask_for
from regie.networks.capabilities import VideoLimit
from regie.people.models import Member
from regie.publishing import services
from regie.publishing.models import Delivery
from regie.studio import campaigns
from regie.studio.content import Content, Part
from regie.studio.models import Post, Variant

ROLES = ("owner", "manager", "editor", "community", "analyst", "guest")
WRITERS = ("owner", "manager", "editor")


@pytest.fixture
def things(
    alice: Member,
    make_account: Callable[..., Account],
    picture: Callable[..., BytesIO],
    video: Callable[..., BytesIO],
    clock: object,
) -> dict[str, object]:
    post = Post.objects.create(workspace=alice.workspace, content=Content(parts=[Part(text="Good morning")]).as_json())
    account = make_account()
    Variant.objects.create(post=post, account=account)
    at = WallTime.at(product_clock.now().replace(hour=20), "Europe/Paris")
    delivery = services.schedule(post=post, at=at, by=alice)[0]
    file = media.upload(workspace=alice.workspace, name="coat.jpg", source=picture(), by=alice)
    film = media.upload(workspace=alice.workspace, name="wave.mov", source=video(kind="mov"), by=alice)
    rendition = ask_for(film, VideoLimit(largest_bytes=10**8, longest=timedelta(minutes=1)))
    campaign = campaigns.save(campaign=None, plan=campaigns.Plan(name="Spring"), by=alice)
    frozen = services.freeze(campaign, why="A recall", by=alice)
    return {
        "film": film.pk,
        "film_sha": film.sha256,
        "rendition": rendition.pk,
        "campaign": campaign.pk,
        "freeze": frozen.pk,
        "account": account.pk,
        "post": post.pk,
        "delivery": delivery.pk,
        "file": file.pk,
        "sha": file.sha256,
        "ws": alice.workspace_id,
    }


# method, page, what is sent, the roles for which it works; for the others of the workspace it is forbidden
PAGES = [
    ("get", "posts/", {}, ROLES),
    ("get", "posts/new/", {}, WRITERS),
    ("get", "posts/{post}/", {}, ROLES),
    ("get", "posts/{post}/edit/", {}, WRITERS),
    ("get", "posts/pick/?workspace={ws}", {}, ROLES),
    ("get", "posts/use/{file}/", {}, ROLES),
    (
        "post",
        "posts/check/",
        {"post": "{post}", "workspace": "{ws}", "version": "1", "s-0-text": "x", "account": "{account}"},
        WRITERS,
    ),
    ("get", "posts/choices/?account={account}&option=board", {}, WRITERS),
    ("get", "posts/poster/?account={account}", {}, WRITERS),
    ("post", "posts/arrange/", {"post": "{post}", "workspace": "{ws}", "version": "1", "do": "add-part:s"}, WRITERS),
    (
        "post",
        "posts/save/",
        {"post": "{post}", "workspace": "{ws}", "version": "1", "s-0-text": "x", "account": "{account}"},
        WRITERS,
    ),
    (
        "post",
        "posts/schedule/",
        {"post": "{post}", "workspace": "{ws}", "version": "1", "account": "{account}"},
        WRITERS,
    ),
    (
        "post",
        "posts/publish/",
        {"post": "{post}", "workspace": "{ws}", "version": "1", "account": "{account}"},
        WRITERS,
    ),
    ("post", "posts/{post}/duplicate/", {}, WRITERS),
    ("get", "deliveries/{delivery}/", {}, ROLES),
    ("get", "deliveries/{delivery}/row/", {}, ROLES),
    ("get", "deliveries/{delivery}/live/", {}, ROLES),
    ("get", "deliveries/{delivery}/by-hand/", {}, ROLES),
    ("post", "deliveries/{delivery}/cancel/", {}, WRITERS),
    ("post", "deliveries/{delivery}/move/", {"date": "2030-03-02", "time": "10:00", "zone": "UTC"}, WRITERS),
    ("post", "deliveries/{delivery}/back/2030-03-01T22:00:00/Europe/Paris/", {}, WRITERS),
    ("get", "campaigns/", {}, ROLES),
    ("get", "campaigns/{campaign}/", {}, ROLES),
    ("post", "campaigns/{campaign}/", {"name": "Summer", "colour": "#0f766e"}, WRITERS),
    ("post", "campaigns/{campaign}/archive/", {}, WRITERS),
    ("post", "campaigns/{campaign}/put-back/", {}, WRITERS),
    ("post", "posts/campaign/", {"campaign": "{campaign}", "post": "{post}"}, WRITERS),
    ("get", "freezes/", {}, ROLES),
    ("post", "freezes/new/", {"what": "account:{account}", "why": "x"}, (*WRITERS, "community")),
    ("get", "freezes/{freeze}/", {}, ROLES),
    ("post", "freezes/{freeze}/", {"still_to_come": "hold"}, ("owner", "manager")),
    ("get", "calendar/", {}, ROLES),
    ("get", "calendar/?view=week", {}, ROLES),
    ("get", "calendar/?view=list", {}, ROLES),
    ("post", "calendar/move/", {"delivery": "{delivery}", "date": "2030-03-05"}, WRITERS),
    (
        "post",
        "calendar/schedule/",
        {"post": "{post}", "workspace": "{ws}", "version": "1", "account": "{account}", "repeat": "daily"},
        WRITERS,
    ),
    ("get", "calendar/recurring/", {}, ROLES),
    ("get", "calendar/recurring/?ended=1", {}, ROLES),
    ("get", "deliveries/missed/", {}, ROLES),
    ("post", "deliveries/missed/send/", {"delivery": "{delivery}"}, WRITERS),
    ("post", "deliveries/missed/cancel/", {"delivery": "{delivery}"}, WRITERS),
    ("get", "media/", {}, ROLES),
    ("post", "media/upload/?workspace={ws}", {}, WRITERS),
    ("post", "media/upload/begin/?workspace={ws}", {"name": "wave.mp4", "size": "1000", "mark": "1"}, WRITERS),
    ("get", "media/{film}/renditions/", {}, ROLES),
    ("get", "media/{film}/{film_sha}/played/", {}, ROLES),
    ("post", "media/{film}/renditions/{rendition}/again/", {}, WRITERS),
    ("get", "media/{file}/", {}, ROLES),
    ("post", "media/{file}/", {"alt": "A coat", "name": "c", "focus_x": "0", "focus_y": "0"}, WRITERS),
    ("get", "media/{file}/{sha}/thumbnail/", {}, ROLES),
    ("get", "media/{file}/{sha}/shown/", {}, ROLES),
    ("get", "media/{file}/{sha}/original/", {}, ROLES),
]


def ask(client: Client, slug: str, page: tuple[str, str, dict[str, str], object], things: dict[str, object]) -> int:
    method, path, data, _roles = page
    filled = {name: value.format(**things) for name, value in data.items()}
    response = getattr(client, method)(f"/w/{slug}/{path.format(**things)}", filled)
    if response.streaming:
        assert response.getvalue()
    return int(response.status_code)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_the_pages_it_may_have(
    role: str,
    seat: Callable[..., Member],
    signed_in: Callable[[Member], Client],
    things: dict[str, object],
) -> None:
    client = signed_in(seat("Robin", role))
    wrong = []
    for page in PAGES:
        status = ask(client, "atelier-nord", page, things)
        works = status < 400 or status in (400, 409, 422)  # a sentence that says why not now
        if works != (role in page[3]) or (not works and status != 403):
            wrong.append((page[:2], status))
    assert wrong == []


@pytest.mark.parametrize("slug", ["atelier-nord", "velo-club", "all"])
def test_a_stranger_finds_nothing(
    slug: str, charlie: Member, signed_in: Callable[[Member], Client], things: dict[str, object]
) -> None:
    client = signed_in(charlie)
    wrong = []
    for page in PAGES:
        own_pages = "{" not in page[1] and not page[2] and slug != "atelier-nord"  # his own, empty lists
        if (status := ask(client, slug, page, things)) != (200 if own_pages else 404):
            wrong.append((page[:2], status))
    assert wrong == []
    assert Delivery.objects.get().state == "scheduled"


def test_who_is_not_signed_in_is_asked_to(things: dict[str, object]) -> None:
    assert [page[:2] for page in PAGES if ask(Client(), "atelier-nord", page, things) != 302] == []
