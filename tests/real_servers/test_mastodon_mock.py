"""mastodon-mock keeps Mastodon's limits, seen through a client that is not ours."""

from collections.abc import Iterator

import pytest
import requests
from mastodon import Mastodon, MastodonAPIError, MastodonNetworkError, MastodonServerError

from .servers import MastodonMock

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("real")]


@pytest.fixture
def alice(mastodon_mock: MastodonMock) -> Iterator[Mastodon]:
    token = mastodon_mock.tokens["alice"]
    with requests.Session() as session:
        yield Mastodon(access_token=token, api_base_url=mastodon_mock.url, ratelimit_method="throw", session=session)


def texts(client: Mastodon) -> list[str]:
    return [status.content for status in client.account_statuses(client.account_verify_credentials().id)]


def test_500_characters_are_taken_and_501_refused(alice: Mastodon) -> None:
    alice.status_post("x" * 500)
    with pytest.raises(MastodonAPIError, match="422"):
        alice.status_post("x" * 501)
    assert len(texts(alice)) == 1


def test_a_repeated_idempotency_key_is_the_same_post(alice: Mastodon) -> None:
    first = alice.status_post("Once", idempotency_key="one")
    again = alice.status_post("Once", idempotency_key="one")
    other = alice.status_post("Once", idempotency_key="two")
    assert (again.id == first.id, other.id == first.id) == (True, False)
    assert len(texts(alice)) == 2


def test_a_post_whose_answer_was_lost_may_be_repeated_with_its_key(
    alice: Mastodon, mastodon_mock: MastodonMock
) -> None:
    mastodon_mock.proxy.cut_answer("POST", "/api/v1/statuses")
    with pytest.raises(MastodonNetworkError):
        alice.status_post("Once", idempotency_key="one")
    alice.status_post("Once", idempotency_key="one")
    assert len(texts(alice)) == 1


def test_a_gateway_in_trouble_is_a_server_error(alice: Mastodon, mastodon_mock: MastodonMock) -> None:
    mastodon_mock.proxy.reply(502, "POST", "/api/v1/statuses", body={"error": "bad gateway"})
    with pytest.raises(MastodonServerError):
        alice.status_post("Hello")
    assert texts(alice) == []


def test_every_test_finds_the_mock_as_new(alice: Mastodon) -> None:
    assert texts(alice) == []
