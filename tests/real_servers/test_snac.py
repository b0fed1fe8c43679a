"""snac speaks Mastodon's API, seen through a client that is not ours; where it differs is written down here."""

import http.client
import io
import urllib.parse
from collections.abc import Callable
from contextlib import closing

import pytest
from mastodon import Mastodon, MastodonNetworkError

from .servers import Snac, eventually

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("real")]


ClientOf = Callable[[Snac, str], Mastodon]


@pytest.fixture
def client_of(mastodon_client: Callable[[str, str], Mastodon]) -> ClientOf:
    """A client signed in as alice or bob."""
    return lambda server, user: mastodon_client(server.url, server.token(user))


def test_a_post_with_a_picture_is_read_back_with_its_alt_text(
    client_of: ClientOf, snac_behind_nginx: Snac, picture: bytes
) -> None:
    alice = client_of(snac_behind_nginx, "alice")
    media = alice.media_post(io.BytesIO(picture), mime_type="image/png", description="A grey gradient")
    sent = alice.status_post("Good morning #snac", media_ids=[media])

    read = alice.status(sent.id)
    assert "Good morning" in read.content
    assert [attached.description for attached in read.media_attachments] == ["A grey gradient"]
    assert alice.account_verify_credentials().username == "alice"


def test_replies_and_favourites_are_counted(client_of: ClientOf, snac_behind_nginx: Snac) -> None:
    """snac lets people favourite only what reached their own timeline, so alice does it herself here."""
    alice, bob = client_of(snac_behind_nginx, "alice"), client_of(snac_behind_nginx, "bob")
    sent = alice.status_post("Any questions?")
    alice.status_favourite(sent.id)
    alice.status_post("Two!", in_reply_to_id=sent.id)
    bob.status_post("One!", in_reply_to_id=sent.id)

    def counts() -> tuple[int, int]:
        seen = alice.status(sent.id)
        return seen.replies_count, seen.favourites_count

    eventually(lambda: counts() == (2, 1))
    assert [reply.content for reply in alice.status_context(sent.id).descendants] == ["Two!<br>"]


def test_snac_behind_nginx_can_lose_the_answer_to_a_post_it_took(client_of: ClientOf, snac_behind_nginx: Snac) -> None:
    alice = client_of(snac_behind_nginx, "alice")
    assert snac_behind_nginx.proxy is not None
    snac_behind_nginx.proxy.cut_answer("POST", "/api/v1/statuses")
    with pytest.raises(MastodonNetworkError):
        alice.status_post("Did it go out?")
    mine = alice.account_statuses(alice.account_verify_credentials().id)
    assert ["Did it go out?" in status.content for status in mine].count(True) == 1


def test_bare_snac_hangs_up_without_having_said_so(snac: Snac) -> None:
    at = urllib.parse.urlsplit(snac.url)
    with closing(http.client.HTTPConnection(at.netloc, timeout=60)) as connection:  # when busy, it takes its time
        connection.request("GET", "/api/v1/instance")
        with closing(connection.sock) as raw:
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
            assert "close" not in (answer.headers["connection"] or "").lower()
            assert raw.recv(1) == b""


def test_both_people_get_tokens_of_their_own_from_bare_snac(client_of: ClientOf, snac: Snac) -> None:
    for user in ("alice", "bob"):
        assert client_of(snac, user).account_verify_credentials().username == user
