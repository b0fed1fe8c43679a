"""Notices on a device, in Chromium: it asks, subscribes, shows what our server made, and opens what was clicked.

Chromium here reaches no push service, so two things stand in: what ``subscribe`` would bring from there, and the
delivery itself, which the browser's own tools make. The payload is the one that our server encrypts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, Worker, expect

from regie.accounts.models import Account
from regie.core import clock
from regie.core.push import Message, b64, message
from regie.core.times import WallTime
from regie.people import push
from regie.people.models import Member, Notice, PushBrowser
from regie.publishing import services
from regie.publishing.models import Delivery
from regie.publishing.telling import tell_people
from regie.studio.models import Post

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
P256DH = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"  # RFC 8291, appendix A
)
SUBSCRIBES = """
const plain = (text) => atob(text.replace(/-/g, "+").replace(/_/g, "/"));
const bytes = (text) => Uint8Array.from(plain(text), (sign) => sign.charCodeAt(0)).buffer;
PushManager.prototype.subscribe = async (asked) => {
  if (!asked.userVisibleOnly || asked.applicationServerKey.byteLength !== 65) throw new Error("asked wrongly");
  const keys = { auth: bytes("%(auth)s"), p256dh: bytes("%(point)s") };
  return { endpoint: "https://push.example.org/one", getKey: (name) => keys[name] };
};
"""
SHOWN = """async () => (await self.registration.getNotifications()).map(
  (one) => ({ title: one.title, body: one.body, url: one.data && one.data.url, tag: one.tag }))"""
CLICK = """() => {
  self.opened = new Promise((done) => { self.clients.openWindow = async (url) => { done(url); return null; }; });
  return self.registration.getNotifications().then(([first]) => {
    self.dispatchEvent(new NotificationEvent("notificationclick", { notification: first }));
    return self.opened;
  });
}"""


def allow(page: Page) -> None:
    """The person says yes before they are asked."""
    page.context.grant_permissions(["notifications"])


def worker_of(page: Page) -> Worker:
    """The service worker, registered as the page's button registers it, and at work."""
    context = page.context
    page.evaluate(
        "navigator.serviceWorker.register('/sw.js', { scope: '/' }).then(() => navigator.serviceWorker.ready)"
    )
    return context.service_workers[0] if context.service_workers else context.wait_for_event("serviceworker")


def deliver(page: Page, payload: str) -> None:
    """As a push service would, through the browser's own tools."""
    cdp: CDPSession = page.context.new_cdp_session(page)
    registrations: list[dict[str, Any]] = []
    cdp.on("ServiceWorker.workerRegistrationUpdated", lambda event: registrations.extend(event["registrations"]))
    cdp.send("ServiceWorker.enable")
    page.wait_for_function("navigator.serviceWorker.ready.then(() => true)")
    for _ in range(300):  # the tools tell it in their own time
        if registrations:
            break
        page.wait_for_timeout(50)
    origin = page.evaluate("location.origin")
    where = next(one for one in registrations if one["scopeURL"].startswith(origin))
    cdp.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": origin, "registrationId": where["registrationId"], "data": payload},
    )
    cdp.detach()


def shown(worker: Worker, number: int) -> list[dict[str, Any]]:
    """The notifications that the device shows, once there are so many."""
    found = worker.evaluate(
        f"""async (number) => {{
          const shown = {SHOWN};
          for (let tries = 0; tries < 300; tries += 1) {{
            if ((await shown()).length >= number) break;
            await new Promise((done) => setTimeout(done, 50));
          }}
          return shown();
        }}""",
        number,
    )
    return list(found)


def what_our_server_says(monkeypatch: pytest.MonkeyPatch, member: Member) -> str:
    """The payload of the one notice that waits for this person's devices, before it is encrypted."""
    said: list[bytes] = []

    def keep(payload: bytes, **how: Any) -> Message:
        said.append(payload)
        return message(payload, **how)

    PushBrowser.objects.create(
        user=member.user, endpoint="https://push.example.org/1", p256dh=P256DH, auth=b64(b"a" * 16)
    )
    monkeypatch.setattr(push, "message", keep)
    (parcel,) = push._take()
    assert len(parcel.messages) == 1
    return said[0].decode()


@pytest.fixture
def delivery(make_account: Callable[..., Account], write_post: Callable[..., Post], bob: Member) -> Delivery:
    """Promised by Bob for now."""
    now = WallTime.at(clock.now(), "Europe/Paris")
    return services.schedule(post=write_post("Good morning", on=[make_account()]), at=now, by=bob)[0]


def test_a_refusal_is_shown_on_the_device_and_a_click_opens_its_delivery(
    bob: Member, open_page: Callable[..., Page], delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(state="claimed")
    Delivery.objects.filter(pk=delivery.pk).update(state="refused", problem="Too long.", to_tell=True)
    tell_people()
    payload = what_our_server_says(monkeypatch, bob)
    page = open_page(bob)
    allow(page)
    page.goto("me/")
    worker = worker_of(page)
    deliver(page, payload)
    (notice,) = shown(worker, 1)
    said = json.loads(payload)
    assert (notice["title"], notice["body"], notice["url"]) == (
        "Atelier Nord",
        said["body"],
        page.evaluate("location.origin") + said["url"],
    )
    assert "was refused on" in notice["body"]
    assert "Too long." in notice["body"]

    page.goto(worker.evaluate(CLICK))
    expect(page.get_by_text("Too long.").first).to_be_visible()
    assert page.url.endswith(said["url"])
    assert worker.evaluate(SHOWN) == []
    assert Notice.objects.filter(user=bob.user).count() == 1


@pytest.mark.parametrize("payload", ["", "not JSON", "null", "7", '{"title": 3, "url": "https://elsewhere.example/"}'])
def test_a_message_that_says_nothing_we_know_leads_to_the_notices(page: Page, payload: str) -> None:
    """A browser takes the right to notify away from who stays silent, so that something is shown all the same."""
    allow(page)
    page.goto("me/")
    worker = worker_of(page)
    deliver(page, payload)
    (notice,) = shown(worker, 1)
    assert notice["title"]
    assert worker.evaluate(CLICK).endswith("/notices/")


def test_the_button_asks_subscribes_and_the_device_is_in_the_list(page: Page, alice: Member) -> None:
    allow(page)
    page.add_init_script(SUBSCRIBES % {"point": P256DH, "auth": b64(b"sixteen bytes ok")})
    page.goto("me/")
    page.get_by_role("button", name="Show notices on this device").click()
    expect(page.get_by_text("This device shows your notices from now on.")).to_be_visible()
    expect(page.locator("[data-push-browser]")).to_have_count(1)
    kept = PushBrowser.objects.get(user=alice.user)
    assert (kept.endpoint, kept.p256dh, kept.auth) == ("https://push.example.org/one", P256DH, b64(b"sixteen bytes ok"))


def test_who_said_no_reads_what_to_do(page: Page) -> None:
    page.goto("me/")
    page.get_by_role("button", name="Show notices on this device").click()
    expect(page.get_by_text("This browser was told not to show notices of Régie.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Allow them in its settings for this address, then come back.")).to_be_visible()
    expect(page.get_by_role("button", name="Show notices on this device")).to_be_hidden()
    assert not PushBrowser.objects.exists()
