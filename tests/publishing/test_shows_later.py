"""Networks that take files only at the hour: the composer says how much later a post shows there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.media import services as media
from regie.media.models import File
from regie.people.models import Member
from regie.publishing import queries
from regie.publishing.models import Delivery
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Clock


@pytest.fixture
def coat(alice: Member, picture: Callable[..., BytesIO]) -> File:
    return media.upload(workspace=alice.workspace, name="coat.jpg", source=picture(), by=alice)


def side(client: Client, account: Account, file: File | None) -> str:
    given = {"workspace": account.workspace_id, "version": 0, "account": account.pk, "s-0-text": "Look"}
    given |= {"s-0-media": file.pk} if file is not None else {}
    answer = client.post("/w/atelier-nord/posts/check/", given, headers={"HX-Request": "true"})
    return answer.content.decode()


def test_only_where_files_travel_with_the_post_and_only_with_files(
    clock: Clock,
    alice: Member,
    coat: File,
    make_account: Callable[..., Account],
    signed_in: Callable[[Member], Client],
) -> None:
    client, canal = signed_in(alice), make_account("telegram", "Canal")
    assert "there it shows when they are uploaded" in side(client, canal, coat)
    assert "only at the hour" not in side(client, canal, None)
    assert "only at the hour" not in side(client, make_account("mastodon", "Atelier"), coat)


def test_how_much_later_is_what_was_measured_on_the_account(
    clock: Clock,
    alice: Member,
    coat: File,
    make_account: Callable[..., Account],
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    signed_in: Callable[[Member], Client],
) -> None:
    canal = make_account("telegram", "Canal")
    for number, seconds in enumerate((4, 90, 100)):
        with_file = write_post(f"Number {number}", on=[canal])
        Post.objects.filter(pk=with_file.pk).update(content={"parts": [{"text": "x", "media": [{"file": coat.pk}]}]})
        with_file.refresh_from_db()
        Delivery.objects.filter(pk=promise(with_file).pk).update(
            sent_at=clock.moment,
            accepted_at=clock.moment + timedelta(seconds=seconds),
        )
    plain = promise(write_post("No file", on=[canal]))
    Delivery.objects.filter(pk=plain.pk).update(sent_at=clock.moment, accepted_at=clock.moment + timedelta(seconds=900))
    assert queries.shows_after(canal) == timedelta(seconds=90)
    assert "there it shows about 1 minute after" in side(signed_in(alice), canal, coat)
