"""The main job, from the first click to the answer that was read: in Chromium, with the product's own processes.

An account is connected on the network's own page, a post with a picture and its description is planned in the calendar
for the next minute, a publisher process sends it, and a client that is not ours reads it back. Somebody replies and
likes there; the reply is answered in our inbox, and the like is counted. How late each post left is printed (``-s``).
"""

from __future__ import annotations

import io
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from atproto import Client, models
from mastodon import Mastodon
from PIL import Image
from playwright.sync_api import Page, expect

from regie.accounts.models import Account
from regie.community import tasks as community_tasks
from regie.community.models import Answer, Inbox, Message
from regie.core import clock
from regie.measure import services as measuring
from regie.measure import tasks as measure_tasks
from regie.measure.models import Collection, Sample
from regie.people.models import Member
from regie.publishing.models import Delivery

from .pages import consent_on_pds
from .product import Roles, apart, plain
from .servers import BlueskyAccount, BlueskyNetwork, MastodonMock, Snac, eventually

pytestmark = [
    pytest.mark.real,
    pytest.mark.browser,
    pytest.mark.xdist_group("real"),
    pytest.mark.django_db(transaction=True),
    # atproto hands httpx its uploads in a way that httpx no longer likes.
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
]

PASSWORD = "a long walk by the sea"
ALT = "A grey gradient, dark at the top"
WORKSPACE = "/w/atelier-nord"
ZONE = "Europe/Paris"
SOON = 20.0  # seconds that a person needs to fill in the composer


@dataclass
class Walk:
    """Alice before the product."""

    house: str
    page: Page

    def go(self, path: str) -> None:
        self.page.goto(f"{self.house}{WORKSPACE}{path}")

    def sign_in(self, member: Member) -> None:
        member.user.set_password(PASSWORD)
        member.user.save()
        self.page.goto(self.house)
        self.page.locator("input[name=login]").fill(member.user.email)
        self.page.locator("input[name=password]").fill(PASSWORD)
        self.page.locator("input[name=password]").press("Enter")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def begin_to_connect(self, network: str) -> None:
        """Accounts, connect, and the network: up to its form."""
        self.go("/accounts/")
        self.page.get_by_role("link", name=re.compile("Connect an account")).first.click()
        self.page.locator(f"a[href$='/accounts/connect/{network}/']").first.click()

    def is_connected(self) -> Account:
        """The account of the page we came back to."""
        self.page.wait_for_url(re.compile(rf"{re.escape(self.house)}{WORKSPACE}/accounts/\d+/$"))
        expect(self.page.get_by_text("is connected.")).to_be_visible()
        expect(self.page.locator("main .state", has_text="Connected").first).to_be_visible()
        account = Account.objects.get(pk=int(self.page.url.rstrip("/").rpartition("/")[2]))
        assert account.state == Account.State.CONNECTED
        return account

    def plan(self, text: str, picture: Path, on: list[Account]) -> list[Delivery]:
        """From today in the calendar: text, picture, what it shows, and the next minute."""
        due = next_minute()
        self.go("/calendar/")
        self.page.get_by_role("link", name=f"New post on {due.day} {due:%B}", exact=True).first.click()
        for account in on:
            self.page.locator(f"input[name=account][value='{account.pk}']").check()
        self.page.locator("#s-0-text").fill(text)
        self.page.locator("#s-0-file").set_input_files(picture)
        self.page.locator("textarea.use-alt").fill(ALT)
        self.page.locator("#when-date").fill(f"{due:%Y-%m-%d}")
        self.page.locator("#when-time").fill(f"{due:%H:%M}")
        self.page.locator("#when-zone").fill(ZONE)
        self.page.get_by_role("button", name="Schedule", exact=True).click()
        self.page.wait_for_url(re.compile(rf"{WORKSPACE}/posts/\d+/$"))
        expect(self.page.locator(".delivery-state", has_text="Scheduled")).to_have_count(len(on))
        found = list(Delivery.objects.order_by("pk"))
        assert [(one.account_id, one.due_at) for one in found] == [(account.pk, due) for account in on]
        return found

    def sees_it_published(self, deliveries: list[Delivery]) -> None:
        """The post's page tells by itself; nobody reloads it."""
        last = max(delivery.due_at for delivery in deliveries)
        patience = (last - clock.now()).total_seconds() + 25
        expect(self.page.locator(".delivery-state", has_text="Published")).to_have_count(
            len(deliveries), timeout=patience * 1000
        )
        for delivery in deliveries:
            delivery.refresh_from_db()
            expect(self.page.locator(f"a[href='{delivery.url}']").first).to_be_visible()

    def answer(self, message: Message, text: str, *, about: str) -> None:
        """In the inbox, where the message stands beside the post it answers."""
        self.go("/inbox/")
        self.page.locator(".inbox-rows").get_by_text(message.text[:40]).first.click()
        expect(self.page.locator(".pane-post")).to_contain_text(about)
        expect(self.page.locator(".talk .is-current")).to_contain_text(message.text)
        self.page.locator("#reply").fill(text)
        self.page.locator("#reply-form").get_by_role("button", name="Send").click()
        expect(self.page.locator(".talk .is-ours").last).to_contain_text(text)

    def sees_what_came_of_it(self, delivery: Delivery, *said: str) -> None:
        """On the receipt: the like among its numbers, and what was said under it."""
        self.go(f"/deliveries/{delivery.pk}/")
        numbers = self.page.locator("section", has=self.page.locator("#numbers-title"))
        likes = numbers.locator("dl.numbers > div", has=self.page.locator("dt", has_text="Likes"))
        expect(likes.locator("dd")).to_contain_text("1")
        talk = self.page.locator("section", has=self.page.locator("#said-title"))
        for words in said:
            expect(talk).to_contain_text(words)


@pytest.fixture
def walk(house: str, page: Page, alice: Member) -> Walk:
    found = Walk(house, page)
    found.sign_in(alice)
    return found


@pytest.fixture
def picture_file(tmp_path: Path, picture: bytes) -> Path:
    path = tmp_path / "gradient.png"
    path.write_bytes(picture)
    return path


def next_minute() -> datetime:
    """The next full minute in Paris that leaves a person time to fill in the composer."""
    now = clock.now().astimezone(ZoneInfo(ZONE))
    return (now + timedelta(seconds=60 + SOON)).replace(second=0, microsecond=0)


def tell_lateness(delivery: Delivery) -> None:
    """Prints it, and fails when the minute was missed by far. The publisher looks each second at the latest."""
    assert delivery.sent_at is not None
    assert delivery.accepted_at is not None
    late = (delivery.sent_at - delivery.due_at).total_seconds()
    accepted = (delivery.accepted_at - delivery.due_at).total_seconds()
    where = f"{delivery.account.network} at {delivery.account.server}"
    print(f"\n{where}: left {late:.3f} s after its minute began, accepted after {accepted:.3f} s")
    assert 0 <= late < 5


def fetch_messages(account: Account) -> None:
    """What each minute's sweep does, now: the worker asks the network."""

    def do() -> None:
        inbox = Inbox.objects.get(accounts__account=account)
        Inbox.objects.filter(pk=inbox.pk).update(next_at=clock.now())
        community_tasks.read_inbox.defer(inbox_id=inbox.pk)

    apart(do)


def the_reply(account: Account, text: str) -> Message:
    """The one message with this text; the worker is asked again until the network tells of it."""

    def look() -> Message | None:
        found = list(Message.objects.filter(account=account, ours=False, text__contains=text))
        assert len(found) <= 1
        if not found:
            fetch_messages(account)
            time.sleep(0.7)
        return found[0] if found else None

    found = eventually(look, seconds=40)
    assert found is not None
    return found


def sampled(delivery: Delivery, metric: str, at_least: int) -> int:
    """What the worker's samples say of a post, once they say enough. None is no number, and stays out."""

    def look() -> int | None:
        def do() -> None:
            measuring.plan_what_is_new()
            Collection.objects.filter(delivery=delivery).update(next_at=clock.now())
            measure_tasks.collect.defer(account_id=delivery.account_id)

        newest = Sample.objects.filter(delivery=delivery, metric=metric).order_by("-at", "-pk").first()
        if newest is None or newest.value is None or newest.value < at_least:
            apart(do)
            time.sleep(0.7)
            return None
        return int(newest.value)

    found = eventually(look, seconds=40)
    assert found is not None
    return found


def test_on_bluesky(
    walk: Walk,
    roles: Roles,
    ours_on_bluesky: BlueskyNetwork,
    bluesky_client: Callable[[BlueskyAccount], Client],
    picture_file: Path,
) -> None:
    known = ours_on_bluesky.create_account(f"m{secrets.token_hex(5)}.test")
    roles.start("worker")
    roles.start("publisher")

    walk.begin_to_connect("bluesky")
    walk.page.locator("input[name=hint]").fill(known.handle)
    walk.page.get_by_role("button", name="Continue on Bluesky").click()
    walk.page.wait_for_url(re.compile(re.escape(ours_on_bluesky.pds_url)))
    consent_on_pds(walk.page, known.handle, known.password)
    account = walk.is_connected()
    assert (account.remote_id, account.server) == (known.did, ours_on_bluesky.pds_url)

    text = "Ouvert jusqu'à 18 h ☀️ https://example.org #soldes"
    (delivery,) = walk.plan(text, picture_file, [account])
    walk.sees_it_published([delivery])
    tell_lateness(delivery)

    reader = bluesky_client(ours_on_bluesky.create_account(f"r{secrets.token_hex(5)}.test"))
    (post,) = eventually(lambda: reader.get_posts([delivery.remote_id]).posts)
    assert post.record.text == text
    assert [image.alt for image in post.embed.images] == [ALT]
    (embedded,) = post.record.embed.images
    kept = reader.com.atproto.sync.get_blob({"did": known.did, "cid": embedded.image.ref.link})
    assert Image.open(io.BytesIO(kept)).size == (64, 48)
    assert eventually(lambda: kind_of(post.embed.images[0].thumb), seconds=20).startswith("image/")
    assert len(reader.get_author_feed(known.did).feed) == 1

    ref = models.create_strong_ref(post)
    reader.send_post("Et demain ?", reply_to=models.AppBskyFeedPost.ReplyRef(root=ref, parent=ref))
    reader.like(post.uri, post.cid)
    message = the_reply(account, "Et demain ?")
    walk.answer(message, "Demain aussi.", about="Ouvert jusqu'à 18 h")

    def our_answers() -> list[str]:
        replies = reader.get_post_thread(post.uri).thread.replies
        return [answer.post.record.text for reply in replies for answer in reply.replies or []]

    assert eventually(our_answers, seconds=20) == ["Demain aussi."]
    assert eventually(lambda: sent_answer(message))
    assert sampled(delivery, "likes", 1) == 1
    assert sampled(delivery, "replies", 1) == 1
    walk.sees_what_came_of_it(delivery, "Et demain ?", "Demain aussi.")


def connect_mastodon(walk: Walk, server: str, sign_in_there: Callable[[Page], None]) -> Account:
    """Our form, the server's own page, and back."""
    walk.begin_to_connect("mastodon")
    walk.page.locator("input[name=server]").fill(server)
    walk.page.get_by_role("button", name="Continue on Mastodon").click()
    walk.page.wait_for_url(re.compile(re.escape(f"{server}/oauth/")))
    sign_in_there(walk.page)
    account = walk.is_connected()
    assert account.server == server
    return account


def connect_snac(walk: Walk, server: Snac) -> Account:
    def fill_in(page: Page) -> None:
        page.locator("input[name=login]").fill("alice")
        page.locator("input[name=passwd]").fill(server.passwords["alice"])
        page.locator("input[type=submit]").click()

    return connect_mastodon(walk, server.url, fill_in)


def test_on_servers_that_speak_mastodon(
    walk: Walk,
    roles: Roles,
    snac: Snac,
    snac_behind_nginx: Snac,
    mastodon_mock: MastodonMock,
    reaches: Callable[[str], None],
    mastodon_client: Callable[[str, str], Mastodon],
    picture_file: Path,
) -> None:
    """snac as it is, snac behind nginx, and mastodon-mock: one post for all three.

    Between snac servers on loopback no mention travels, so the one who replies lives on the same server; and snac takes
    a favourite only for what is in one's own timeline, so there alice likes her post herself.
    """
    servers: list[Snac | MastodonMock] = [snac, snac_behind_nginx, mastodon_mock]
    for server in servers:
        reaches(server.url)
    roles.start("worker")
    roles.start("publisher")
    accounts = [
        connect_snac(walk, snac),
        connect_snac(walk, snac_behind_nginx),
        connect_mastodon(walk, mastodon_mock.url, lambda page: page.get_by_role("button", name="@alice").click()),
    ]

    text = f"Open until six {secrets.token_hex(4)}"
    deliveries = walk.plan(text, picture_file, accounts)
    walk.sees_it_published(deliveries)

    for server, delivery in zip(servers, deliveries, strict=True):
        tell_lateness(delivery)
        tokens = {
            who: server.token(who) if isinstance(server, Snac) else server.tokens[who] for who in ("alice", "bob")
        }
        alice, bob = (mastodon_client(server.url, tokens[who]) for who in ("alice", "bob"))
        mine = [one for one in alice.account_statuses(alice.account_verify_credentials().id) if text in one.content]
        assert [(one.id, one.url) for one in mine] == [(delivery.remote_id, delivery.url)]
        assert [(one.type, one.description) for one in mine[0].media_attachments] == [("image", ALT)]

        question = f"And tomorrow? {secrets.token_hex(4)}"
        bob.status_post(f"@alice {question}", in_reply_to_id=delivery.remote_id)
        (alice if isinstance(server, Snac) else bob).status_favourite(delivery.remote_id)
        message = the_reply(delivery.account, question)
        walk.answer(message, f"Tomorrow as well, {question}", about=text)
        assert eventually(partial(sent_answer, message), seconds=20)
        said = [plain(one.content) for one in alice.account_statuses(alice.account_verify_credentials().id)]
        assert len([one for one in said if f"Tomorrow as well, {question}" in one]) == 1
        assert sampled(delivery, "likes", 1) == 1
        walk.sees_what_came_of_it(delivery, question, f"Tomorrow as well, {question}")


def kind_of(address: str) -> str:
    """The content type of what is there; "" while the AppView, which makes pictures on demand, hangs up."""
    try:
        return httpx.get(address).headers["content-type"]
    except httpx.TransportError:
        return ""


def sent_answer(message: Message) -> Answer | None:
    return Answer.objects.filter(message=message, state=Answer.State.SENT).first()
