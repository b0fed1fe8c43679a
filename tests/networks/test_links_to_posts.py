"""The address that a person copied says which post it is."""

from __future__ import annotations

import pytest

from regie.networks import registry
from regie.networks.protocols import ReadsLinks

DID = "did:plc:abc"


@pytest.mark.parametrize(
    ("network", "url", "remote_id"),
    [
        ("mastodon", "https://social.example/@regie/124425732096000002", "124425732096000002"),
        ("mastodon", "https://social.example/users/regie/statuses/12", "12"),
        ("mastodon", "https://elsewhere.example/@regie@social.example/99", None),  # another number there
        ("mastodon", "https://social.example/@regie", None),
        ("bluesky", "https://bsky.app/profile/regie.example/post/3kabc", f"at://{DID}/app.bsky.feed.post/3kabc"),
        ("bluesky", "https://bsky.app/profile/did:plc:x/post/3k", "at://did:plc:x/app.bsky.feed.post/3k"),
        ("bluesky", "https://bsky.app/profile/regie.example", None),
    ],
)
def test_a_link_is_read(network: str, url: str, remote_id: str | None) -> None:
    connector = registry.connector(network)
    assert issubclass(connector, ReadsLinks)
    assert connector.id_of(url, author=DID) == remote_id
