"""A second step at sign-in, set up and used as a person would: with the six digits of an authenticator."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from regie.people.models import Member

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("screens")]
PASSWORD = "une phrase assez longue"


def digits(secret: str, *, step: int = 0) -> str:
    """RFC 6238: the six digits of this half minute, or of the one ``step`` further."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 + step), hashlib.sha1).digest()
    start = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def test_a_second_step_is_set_up_and_then_asked_for(
    open_page: Callable[..., Page], chromium: Browser, live_server: Any, alice: Member, settings: Any
) -> None:
    settings.MFA_TOTP_TOLERANCE = 1  # the next half minute's digits count already, so that the test need not wait
    alice.user.set_password(PASSWORD)
    alice.user.save()
    page = open_page(alice)
    page.goto("/account/2fa/totp/activate/")
    page.fill("[name=password]", PASSWORD)  # asked again before anything about signing in is changed
    page.keyboard.press("Enter")
    page.wait_for_url("**/totp/activate/")
    found = re.search(r"\b[A-Z2-7]{32}\b", page.content())
    assert found is not None
    page.fill("[name=code]", digits(found[0]))
    page.keyboard.press("Enter")
    page.wait_for_url("**/recovery-codes/")

    context = chromium.new_context(base_url=live_server.url)
    other = context.new_page()
    other.goto("/account/login/")
    other.fill("[name=login]", alice.user.email)
    other.fill("[name=password]", PASSWORD)
    other.keyboard.press("Enter")
    other.wait_for_url("**/account/2fa/authenticate/**")
    other.fill("[name=code]", digits(found[0], step=1))  # each code works once
    other.keyboard.press("Enter")
    expect(other.get_by_role("heading", level=1)).to_have_text("Today")
    context.close()


def test_a_passkey_is_made_and_signs_in(open_page: Callable[..., Page], live_server: Any, alice: Member) -> None:
    alice.user.set_password(PASSWORD)
    alice.user.save()
    page = open_page(alice)
    keys = page.context.new_cdp_session(page)
    keys.send("WebAuthn.enable")
    authenticator = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options = {**authenticator, "isUserVerified": True, "automaticPresenceSimulation": True}
    keys.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    here = live_server.url.replace("127.0.0.1", "localhost")
    page.context.add_cookies(
        [{"name": one["name"], "value": one["value"], "url": here} for one in page.context.cookies(live_server.url)]
    )
    page.goto(f"{here}/account/2fa/webauthn/add/")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/webauthn/add/**")
    page.fill("[name=name]", "Laptop")
    page.check("[name=passwordless]")  # a passkey, not only a second step
    page.get_by_role("button", name=re.compile("add", re.IGNORECASE)).first.click()
    page.wait_for_url("**/recovery-codes/**")
    page.goto(f"{here}/account/2fa/webauthn/")
    expect(page.get_by_text("Laptop").first).to_be_visible()

    page.context.clear_cookies()
    page.goto(f"{here}/account/login/")
    page.get_by_role("button", name=re.compile("passkey", re.IGNORECASE)).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")
