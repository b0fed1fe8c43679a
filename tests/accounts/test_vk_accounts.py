"""A community of VK, connected with the keys that somebody pastes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.test import Client

from regie.accounts.models import Account
from regie.accounts.opening import open_credentials
from regie.people.models import Member

from .walking import HERE

if TYPE_CHECKING:
    from tests.conftest import Sandbox


def test_a_community_of_vk_is_connected_with_its_keys(
    alice: Member, signed_in: Callable[[Member], Client], vk: Sandbox, settings: Any
) -> None:
    settings.NETWORKS = {**settings.NETWORKS, "vk": vk.base}
    client, keys = signed_in(alice), vk.network.ready_account()["credentials"]
    assert "Key of the community" in client.get(f"{HERE}/connect/vk/").text
    wrong = client.post(f"{HERE}/connect/vk/", {"community_key": "vk1.a.wrong"})
    assert wrong.status_code == 422
    assert "does not know this key" in wrong.text
    page = client.post(f"{HERE}/connect/vk/", {"community_key": keys["community_key"]}, follow=True).text
    assert "key of an administrator" in page
    account = Account.objects.get()
    assert (account.handle, account.limits["admin"]) == ("@regie", False)

    client.post(f"{HERE}/connect/vk/?account={account.pk}", {**keys, "account": account.pk}, follow=True)
    account.refresh_from_db()
    assert account.limits["admin"] is True
    assert open_credentials(account) == keys
    assert not any(key in page for key in keys.values())
