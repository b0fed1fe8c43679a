"""What a network takes without showing it to the public is out, and is never called published."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.accounts.opening import seal_credentials
from regie.api import services as api
from regie.api.deliveries import delivery_out
from regie.core import clock as product_clock
from regie.measure.queries import _published_in, period_of
from regie.media import services as media
from regie.people.models import Member, Notice
from regie.people.scope import Scope
from regie.planner.queries import entries
from regie.publishing import queries, services
from regie.publishing.errors import NotNow
from regie.publishing.models import Delivery
from regie.publishing.telling import tell_people
from regie.studio.content import MediaUse, Part
from regie.studio.models import Post
from regie.studio.queries import matching, posts_for, standings

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "Pinterest shows it to nobody but you until it gives your app Standard access."


@pytest.fixture
def limited(
    clock: Clock,
    pinterest: Sandbox,
    pinterest_account: Account,
    alice: Member,
    picture: Callable[..., BytesIO],
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> Delivery:
    """A Pin of an app that Pinterest has on trial, sent."""
    trial = pinterest.itself.ready_account()["trial"]
    pinterest_account.server = trial["server"]
    seal_credentials(pinterest_account, trial["credentials"])
    pinterest_account.save()
    file = media.upload(workspace=alice.workspace, name="a.jpg", source=picture(), by=alice)
    post = write_post("Linen", on=[pinterest_account], options={str(pinterest_account.pk): trial["options"]})
    post.content["parts"] = [Part(text="Linen", media=[MediaUse(file=file.pk)]).model_dump()]
    post.save()
    delivery = promise(post)
    publish_due()
    delivery.refresh_from_db()
    return delivery


def test_it_is_out_with_its_receipt_and_looks_like_what_it_is(
    limited: Delivery, alice: Member, signed_in: Callable[[Member], Client]
) -> None:
    assert (limited.state, limited.shown, limited.limited) == ("published", "limited", WHY)
    assert limited.remote_id
    assert delivery_out(limited).limited == WHY
    client = signed_in(alice)
    for address in (f"deliveries/{limited.pk}/", f"posts/{limited.variant.post_id}/"):
        page = client.get(f"/w/atelier-nord/{address}").content.decode()
        assert "Not public" in page
        assert WHY in page
        assert "Published</span>" not in page
    for address in ("posts/", "", "calendar/?view=list"):
        page = client.get(f"/w/atelier-nord/{address}").content.decode()
        assert "Not public" in page, address


def test_a_program_that_asks_for_what_is_published_is_not_told_of_it(limited: Delivery, alice: Member) -> None:
    """Without a word of ``limited``, published means that the public sees it."""
    _token, secret = api.create_token(name="Shop window", by=alice)

    def numbers(path: str) -> list[int]:
        answer = Client().get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 200
        return [one["id"] for one in answer.json()["items"]]

    there = [limited.pk]
    assert numbers("deliveries") == numbers("deliveries?limited=true") == there
    assert numbers("deliveries?state=published&limited=true") == there
    assert numbers("deliveries?state=published") == numbers("deliveries?limited=false") == []
    assert numbers("deliveries?state=refused&limited=true") == []
    assert numbers("posts?state=published") == []
    assert numbers("posts?state=limited") == [limited.variant.post_id]
    services.made_public(limited, by=alice)
    assert numbers("deliveries?state=published") == numbers("deliveries?limited=false") == there
    assert numbers("deliveries?limited=true") == []


def test_a_calendar_narrowed_to_what_is_published_leaves_it_out(limited: Delivery, alice: Member) -> None:
    scope, until = Scope.for_member(alice), limited.due_at + timedelta(seconds=1)
    shown = {
        state: [row.id for row in queries.calendar(scope, limited.due_at, until, queries.Filters(states=(state,)))]
        for state in ("published", "limited")
    }
    assert shown == {"published": [], "limited": [limited.pk]}


def test_it_is_not_counted_as_published_but_was_sent_in_time(limited: Delivery, alice: Member) -> None:
    scope = Scope.for_member(alice)
    post = limited.variant.post
    assert standings([post])[post.pk].states == {"limited": 1}
    found = {state: [one.pk for one in matching(posts_for(scope), state=state)] for state in ("published", "limited")}
    assert found == {"published": [], "limited": [post.pk]}
    today = product_clock.now().date()
    shown = {
        state: [one.state for one in entries(scope, since=today, until=today, zone="Europe/Paris", state=state)]
        for state in ("published", "limited", "")
    }
    assert shown == {"published": [], "limited": ["limited"], "": ["limited"]}
    assert queries.histogram(Delivery.objects.all()).sent == 1


def test_people_are_told_once(limited: Delivery, alice: Member) -> None:
    tell_people()
    tell_people()
    told = Notice.objects.filter(user=alice.user, kind="delivery.limited")
    assert told.count() == 1
    assert told.get().facts["problem"] == WHY


def test_whoever_made_it_public_there_says_so(limited: Delivery, alice: Member, bob: Member) -> None:
    services.made_public(limited, by=alice)
    limited.refresh_from_db()
    assert (limited.state, limited.shown) == ("published", "published")
    with pytest.raises(NotNow):
        services.made_public(limited, by=alice)


def look(clock: Clock, publish_due: Callable[[], None], **later: int) -> None:
    clock.advance(**later)
    publish_due()


def told(alice: Member) -> list[str]:
    tell_people()
    rows = Notice.objects.filter(user=alice.user, kind__startswith="delivery.").order_by("pk")
    return [row.kind.removeprefix("delivery.") for row in rows]


@pytest.fixture
def filtered(
    clock: Clock,
    reddit: Sandbox,
    connect: Callable[..., Account],
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> Delivery:
    """A post that Reddit's spam filter holds back as soon as it is there."""
    ready = reddit.itself.ready_account()
    delivery = promise(write_post("Linen", on=[connect(reddit)], options={"reddit": ready["options"]}))
    publish_due()
    (post,) = reddit.itself.state.posts.values()
    post.removed = "reddit"
    look(clock, publish_due, seconds=20)
    delivery.refresh_from_db()
    assert "spam filter" in delivery.limited
    return delivery


@pytest.mark.parametrize("later", [{"minutes": 6}, {"minutes": 61}, {"hours": 25}, {"hours": 24 * 7 + 1}])
def test_what_the_public_sees_at_last_is_no_longer_called_hidden_and_people_hear_of_it_once(
    clock: Clock,
    reddit: Sandbox,
    filtered: Delivery,
    alice: Member,
    publish_due: Callable[[], None],
    later: dict[str, int],
) -> None:
    look(clock, publish_due, **later)
    filtered.refresh_from_db()
    assert (filtered.shown, told(alice)) == ("limited", ["limited"])
    (post,) = reddit.itself.state.posts.values()
    post.removed = ""
    services.look_again(filtered, by=alice)
    look(clock, publish_due, seconds=1)
    filtered.refresh_from_db()
    assert (filtered.shown, filtered.limited, filtered.look_at) == ("published", "", None)
    assert told(alice) == told(alice) == ["limited", "public"]


def test_it_is_looked_at_by_itself_four_times_and_then_on_request_only(
    clock: Clock, reddit: Sandbox, filtered: Delivery, publish_due: Callable[[], None]
) -> None:
    looked = []
    sent = filtered.sent_at
    assert sent is not None
    while filtered.look_at is not None:
        looked.append(round((filtered.look_at - sent).total_seconds()))
        clock.advance(seconds=int((filtered.look_at - product_clock.now()).total_seconds()) + 1)
        publish_due()
        filtered.refresh_from_db()
        assert len(looked) < 9
    assert looked == [300, 3600, 24 * 3600, 7 * 24 * 3600]
    assert filtered.shown == "limited"


def test_another_reason_is_told_and_so_is_that_it_was_taken_away(
    clock: Clock, reddit: Sandbox, filtered: Delivery, alice: Member, publish_due: Callable[[], None]
) -> None:
    assert told(alice) == ["limited"]
    (post,) = reddit.itself.state.posts.values()
    post.removed = "moderator"
    look(clock, publish_due, minutes=6)
    filtered.refresh_from_db()
    assert "moderators" in filtered.limited
    assert told(alice) == ["limited", "limited"]
    post.removed = "deleted"
    look(clock, publish_due, minutes=61)
    filtered.refresh_from_db()
    assert filtered.gone_at is not None
    assert told(alice) == ["limited", "limited", "gone"]


def test_the_receipt_offers_to_look_again(
    filtered: Delivery, alice: Member, signed_in: Callable[[Member], Client]
) -> None:
    client = signed_in(alice)
    page = client.get(f"/w/atelier-nord/deliveries/{filtered.pk}/").content.decode()
    assert "Look again" in page
    client.post(f"/w/atelier-nord/deliveries/{filtered.pk}/look-again/")
    filtered.refresh_from_db()
    assert filtered.look_at is not None
    assert filtered.look_at <= product_clock.now()


def test_there_is_nothing_to_look_at_again_when_the_public_sees_it(
    clock: Clock, reddit: Sandbox, filtered: Delivery, alice: Member, publish_due: Callable[[], None]
) -> None:
    services.made_public(filtered, by=alice)
    filtered.refresh_from_db()
    with pytest.raises(NotNow):
        services.look_again(filtered, by=alice)


def test_its_numbers_are_not_among_those_of_what_was_published(limited: Delivery, settings: Any) -> None:
    from regie.measure.services import plan_what_is_new

    plan_what_is_new()
    day = f"{product_clock.now():%Y-%m-%d}"
    assert not _published_in(period_of(day, day, zone="Europe/Paris")).exists()
    Delivery.objects.update(limited="")
    assert _published_in(period_of(day, day, zone="Europe/Paris")).exists()
