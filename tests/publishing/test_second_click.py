"""A double click on "Publish now" is one post."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from regie.people.models import Member
from regie.publishing import services
from regie.publishing.errors import AlreadyPlanned
from regie.publishing.models import Delivery
from regie.studio.models import Post

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_second_click_on_publish_now_is_refused_with_a_sentence(clock: Any, post: Post, alice: Member) -> None:
    services.publish_now(post=post, by=alice)
    clock.advance(seconds=0.2)
    with pytest.raises(AlreadyPlanned, match="a few seconds ago"):
        services.publish_now(post=post, by=alice)
    clock.advance(minutes=1)
    services.publish_now(post=post, by=alice)
    assert Delivery.objects.count() == 2


def test_of_two_clicks_at_the_same_moment_one_counts(post: Post, alice: Member) -> None:
    def click(_: int) -> bool:
        try:
            services.publish_now(post=post, by=alice)
        except AlreadyPlanned:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(2) as clicks:
        assert sorted(clicks.map(click, range(2))) == [False, True]
    assert Delivery.objects.count() == 1
