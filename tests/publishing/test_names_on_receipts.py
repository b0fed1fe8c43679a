"""A receipt tells people the name of what they chose, as its network called it when they saved, not its number."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.test import Client

from regie.accounts.models import Account
from regie.media import services as media
from regie.people.models import Member
from regie.publishing.models import Delivery
from regie.studio import choices, services
from regie.studio.content import Content
from regie.studio.models import ChoiceName, Post
from regie.studio.options import option_of
from regie.studio.services import Given, Written

if TYPE_CHECKING:
    from tests.conftest import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def board(pinterest: Sandbox) -> str:
    cache.clear()
    return str(pinterest.itself.ready_account()["options"]["board"])


def written(account: Account, board: str, *files: int) -> Written:
    part = {"text": "Linen", "media": [{"file": file} for file in files]}
    content = Content.model_validate({"parts": [part], "options": {str(account.pk): {"board": board}}})
    return Written(content=content, on={account.pk: Given()})


def test_a_board_has_its_name_on_the_receipt_whatever_becomes_of_it(
    pinterest_account: Account,
    board: str,
    alice: Member,
    signed_in: Callable[[Member], Client],
    picture: Callable[..., BytesIO],
    promise: Callable[..., Delivery],
) -> None:
    assert choices.ask(pinterest_account, option_of(pinterest_account, "board"), {}).problem == ""
    file = media.upload(workspace=alice.workspace, name="a.jpg", source=picture(), by=alice)
    wanted = written(pinterest_account, board, file.pk)
    post = services.save(post=None, workspace=alice.workspace, written=wanted, version=0, by=alice)
    assert post.document.names == {str(pinterest_account.pk): {"board": {board: "Ideas"}}}
    ChoiceName.objects.update(label="Renamed since")
    delivery = promise(post)
    page = signed_in(alice).get(f"/w/atelier-nord/deliveries/{delivery.pk}/").content.decode()
    assert "Ideas" in page
    assert board not in page
    assert "Renamed since" not in page


def test_a_text_of_its_own_keeps_the_names_of_its_own_choices(
    pinterest_account: Account, board: str, alice: Member
) -> None:
    choices.ask(pinterest_account, option_of(pinterest_account, "board"), {})
    own = written(pinterest_account, board)
    wanted = Written(on={pinterest_account.pk: Given(content=own.content)})
    post = services.save(post=None, workspace=alice.workspace, written=wanted, version=0, by=alice)
    assert post.document.names == {}
    assert post.variants.get().document.names[str(pinterest_account.pk)]["board"] == {board: "Ideas"}


def test_a_name_that_somebody_sends_along_is_not_believed(
    pinterest_account: Account, board: str, alice: Member
) -> None:
    wanted = written(pinterest_account, board)
    wanted.content.names = {str(pinterest_account.pk): {"board": {board: "Sold out"}}}
    post = services.save(post=None, workspace=alice.workspace, written=wanted, version=0, by=alice)
    assert post.document.names == {}
    again = services.save(post=post, workspace=alice.workspace, written=wanted, version=post.version, by=alice)
    assert again.version == Post.objects.get().version == 1


def test_asking_again_takes_the_new_name(pinterest: Sandbox, pinterest_account: Account, board: str) -> None:
    option = option_of(pinterest_account, "board")
    choices.ask(pinterest_account, option, {})
    ChoiceName.objects.filter(value=board).update(label="As it was called")
    assert choices.names_of(pinterest_account, option, [board, "unheard of"]) == {board: "As it was called"}
    choices.ask(pinterest_account, option, {})
    assert choices.names_of(pinterest_account, option, [board]) == {board: "Ideas"}
