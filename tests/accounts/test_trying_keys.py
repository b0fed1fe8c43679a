"""The test button of the Networks page: the keys that were entered are tried on a code that we invent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from regie.accounts.sign_in import keys_refused
from regie.networks import registry
from regie.networks.data import AppKeys

if TYPE_CHECKING:
    from tests.conftest import Sandbox

LOGINS = [
    (slug, word, f"/{word}" if nth else "")
    for slug in registry.slugs()
    for nth, word in enumerate(getattr(registry.connector(slug), "logins", {}))
]


@pytest.mark.parametrize(("slug", "word", "path"), LOGINS)
def test_the_right_keys_are_taken_and_a_wrong_secret_is_noticed(
    request: pytest.FixtureRequest, settings: Any, slug: str, word: str, path: str
) -> None:
    sandbox: Sandbox = request.getfixturevalue(slug)
    settings.NETWORKS = {**settings.NETWORKS, slug: sandbox.base}
    ready = sandbox.network.ready_account()
    keys = {**ready, **ready.get(word, {})}
    right = AppKeys(client_id=keys["client_id"], client_secret=keys["client_secret"])
    wrong = AppKeys(client_id=keys["client_id"], client_secret="not-the-secret-of-this-app")
    assert not keys_refused(slug, f"{sandbox.base}{path}", right)
    assert keys_refused(slug, f"{sandbox.base}{path}", wrong)
