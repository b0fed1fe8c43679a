"""Chloé moderates what was said under a post, with the mouse and with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from regie.accounts.opening import seal_credentials
from regie.community.models import Conversation, Message
from regie.core.clock import now

if TYPE_CHECKING:
    from regie.accounts.models import Account
    from regie.people.models import Member
    from tests.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]


@pytest.fixture
def message(facebook: Sandbox, make_account: Callable[..., Account]) -> Message:
    """Ana's, under a post of the Page."""
    ready = facebook.itself.ready_account()
    account = make_account(
        "facebook", "Atelier Nord", server=ready["server"], remote_id=ready["remote_id"], limits=ready.get("limits", {})
    )
    seal_credentials(account, ready["credentials"])
    account.save()
    post = facebook.say(by="bo", text="Open today")
    comment = facebook.say(by="ana", text="Buy followers at cheap.example", to=post)
    conversation = Conversation.objects.create(
        workspace=account.workspace, account=account, remote_id=post, post_id=post, last_at=now()
    )
    return Message.objects.create(
        workspace=account.workspace,
        account=account,
        conversation=conversation,
        remote_id=comment,
        kind="comment",
        author_id="ana",
        author_name="Ana Núñez",
        author_handle="Ana",
        text="Buy followers at cheap.example",
        said_at=now(),
        extra={"kind": "comment"},
    )


@pytest.mark.parametrize(("phone", "dark", "language"), [(False, False, "en"), (True, True, "fr")])
def test_a_comment_is_hidden_with_the_keyboard_shown_again_by_undo_and_deleted_after_a_question(
    phone: bool,
    dark: bool,
    language: str,
    message: Message,
    seat: Callable[..., Member],
    open_page: Callable[..., Page],
    assert_accessible: Callable[[Page], None],
    screenshot: Callable[[Page, str], None],
) -> None:
    page = open_page(seat("Chloé", "community"), phone=phone, dark=dark, language=language)
    where = "phone" if phone else "desk"
    page.goto(f"inbox/?message={message.pk}")
    menu = page.locator("[popovertarget=moderate]")
    menu.focus()
    page.keyboard.press("Enter")
    hide = page.locator("#moderate form button")
    expect(hide).to_be_visible()
    screenshot(page, f"moderate-menu-{where}")
    hide.focus()
    page.keyboard.press("Enter")
    line = page.locator(".talk-line.is-hidden")
    expect(line).to_contain_text("Chloé")
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    screenshot(page, f"moderate-hidden-{where}")
    page.locator("[data-toast-undo] form button").click()
    expect(line).to_have_count(0)
    page.locator("[popovertarget=moderate]").click()
    page.locator(f"#moderate [data-dialog=delete-{message.pk}]").click()
    question = page.locator(f"#delete-{message.pk}")
    expect(question).to_be_visible()
    screenshot(page, f"moderate-question-{where}")
    assert_accessible(page)
    question.locator(".btn-danger").click()
    expect(page.locator(".talk-line s")).to_have_text("Buy followers at cheap.example")
    expect(page.locator(".talk-line")).to_contain_text("Chloé")
    message.refresh_from_db()
    assert message.gone_at is not None
