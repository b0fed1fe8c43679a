"""The login for business accounts: posts that TikTok fetches, comments and answers, its own sign-in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from regie.networks.capabilities import Answering, Arrival, MessageKind
from regie.networks.data import AppKeys, Incoming, Login, Pending, Published, Ref, SignedIn
from regie.networks.errors import Gone, Refused, SignInAgain, TokenExpired, TryLater, Unclear
from regie.networks.tiktok.connector import TikTok as Connector
from regie.networks.tiktok.wire import BUSINESS
from regie_sandbox.tiktok.app import TikTok

from .posting import NOW, PUBLIC, committed, prepared, publish, saying

Make = Callable[..., Any]
REDIRECT = "https://regie.example.org/accounts/callback/tiktok/"


def keys(tiktok: TikTok) -> AppKeys:
    app = tiktok.make_app()
    return AppKeys(client_id=app.key, client_secret=app.secret)


@pytest.fixture
async def shop(http: aiohttp.ClientSession, tiktok: TikTok) -> Connector:
    """The ready account through the login for business accounts."""
    ready = tiktok.ready_account()
    login = Login(
        server=ready["business"]["server"],
        remote_id=ready["remote_id"],
        credentials=ready["business"]["credentials"],
        app=keys(tiktok),
    )
    profile = await Connector(http, login).whoami()
    return Connector(http, replace(login, limits=profile.limits))


@pytest.fixture
def video_there(video: Make, shelf: str) -> Make:
    """A video that networks can fetch."""
    return lambda name="walk", **more: video(name, **{"public_url": f"{shelf}/{name}.mp4", **more})


def ref(one: Published | Incoming) -> Ref:
    return Ref(remote_id=one.remote_id, extra=one.extra)


# Posts


async def test_a_video_that_tiktok_fetches(tiktok: TikTok, shop: Connector, video_there: Make, picture: Make) -> None:
    chosen = {"allow_comments": True, "paid_partnership": True, "made_with_ai": True}
    film = video_there(cover_at=1.5, cover=picture("cover"))
    published = await publish(shop, saying("Walk with us", videos=(film,), options=chosen))
    post = tiktok.state.posts[published.remote_id]
    assert (post.text, post.privacy, post.kind) == ("Walk with us", PUBLIC, "video")
    assert (post.info["disable_comment"], post.info["brand_content_toggle"], post.info["is_ai_generated"]) == (
        False,
        True,
        True,
    )
    assert published.url == f"{tiktok.base}/@regie/video/{post.id}"


async def test_photos_that_tiktok_fetches(tiktok: TikTok, shop: Connector, picture: Make) -> None:
    what = saying("Two", pictures=(picture("a"), picture("b")), options={"title": "Teal", "cover_picture": "2"})
    published = await publish(shop, what)
    post = tiktok.state.posts[published.remote_id]
    assert (post.title, post.images, post.cover) == ("Teal", 2, 1)


async def test_everything_there_is_for_everybody(tiktok: TikTok, shop: Connector, video_there: Make) -> None:
    can = Connector.can_on((await shop.whoami()).limits)
    assert not any(option.required for option in can.options)
    (privacy,) = [option for option in can.options if option.name == "privacy"]
    assert ([choice.value for choice in privacy.choices], privacy.default) == ([PUBLIC], PUBLIC)
    assert can.video is not None
    assert can.video.cover is not None
    assert can.video.largest_bytes == 10**9
    await publish(shop, replace(saying(videos=(video_there(),)), options={}))
    assert tiktok.texts() == ["Good morning"]


async def test_what_tiktok_cannot_fetch_is_refused(tiktok: TikTok, shop: Connector, video: Make) -> None:
    with pytest.raises(Refused, match="public address"):
        await prepared(shop, saying(videos=(video(),)))
    with pytest.raises(Refused, match="could not fetch"):
        await publish(shop, saying(videos=(video(public_url="http://127.0.0.1:9/none.mp4"),)))
    assert tiktok.texts() == []


@pytest.mark.parametrize("loss", ["lose_answer", "drop"])
async def test_a_post_whose_answer_was_lost_is_found_or_left_to_a_person(
    tiktok: TikTok, shop: Connector, video_there: Make, loss: str
) -> None:
    what = saying("Open today", videos=(video_there(),))
    progress = await prepared(shop, what)
    getattr(tiktok.faults, f"will_{loss}")(path="video/publish")
    with pytest.raises(Unclear):
        await shop.commit(what, progress)
    if loss == "drop":
        with pytest.raises(Unclear, match="does not tell"):
            await shop.what_became_of(what, progress)
        return
    became = await shop.what_became_of(what, progress)
    assert isinstance(became, Published)
    assert became.remote_id == tiktok.posts()[0]


async def test_processing_and_moderation_are_waited_for(tiktok: TikTok, shop: Connector, video_there: Make) -> None:
    tiktok.processing_seconds, tiktok.moderation_seconds = 20, 60
    what = saying(videos=(video_there(),))
    outcome = await shop.commit(what, await prepared(shop, what))
    assert isinstance(outcome, Pending)
    assert isinstance(await shop.what_became_of(what, outcome.progress), Pending)
    tiktok.world.clock.advance(timedelta(seconds=80))
    assert (await committed(shop, what, outcome.progress)).remote_id == tiktok.posts()[0]
    assert len(tiktok.world.ledger.entries) == 1


async def test_our_posts_and_their_numbers(tiktok: TikTok, shop: Connector) -> None:
    user = tiktok.known_as(None)
    for nth in range(30):
        tiktok.world.clock.set(NOW + timedelta(minutes=nth))
        tiktok.post_by(user, f"Post {nth}")
    listing = await shop.own_posts(since=NOW)
    assert [seen.text for seen in listing.seen] == [f"Post {nth}" for nth in reversed(range(30))]
    newest = listing.seen[0]
    for name in ("ana", "bo"):
        tiktok.like(by=name, post_id=newest.remote_id)
        tiktok.follow(by=name, account="regie")
    samples = await shop.post_samples([Ref(remote_id=seen.remote_id) for seen in listing.seen])
    assert len(samples) == 30
    assert samples[newest.remote_id] == {
        "likes": 2,
        "replies": 0,
        "shares": 0,
        "views": 2,
        "saves": 0,
        "reach": 2,
        "watch_minutes": 0,
        "average_view_seconds": 12,
    }
    counts = {"followers": 2, "following": 0, "posts": 30, "likes_total": 2}
    nothing = {"views_day": 0, "reach_day": 0, "engaged_day": 0}
    assert await shop.account_samples() == {**counts, **nothing}
    tiktok.world.clock.advance(timedelta(days=2))  # the day before is told late
    assert await shop.account_samples() == {**counts, "views_day": 4, "reach_day": 2, "engaged_day": 2}
    assert (await shop.fetch(newest.remote_id)).url == newest.url
    tiktok.state.posts[newest.remote_id].public_at = None
    with pytest.raises(Gone):
        await shop.fetch(newest.remote_id)


# Comments


async def test_comments_and_answers_arrive_once(tiktok: TikTok, shop: Connector) -> None:
    post = tiktok.post_by(tiktok.known_as(None), "Open today")
    top = tiktok.say(by="Ana Ruiz", text="Until when? 👩‍👩‍👧‍👦", to=post.id)
    under = [tiktok.say(by=f"p{nth}", text=f"me too {nth}", to=top) for nth in range(5)]  # a list tells three
    found = await shop.messages(cursor="")
    assert {one.remote_id for one in found.messages} == {top, *under}
    one = next(one for one in found.messages if one.remote_id == top)
    assert (one.kind, one.text, one.post_id, one.conversation_id) == (
        MessageKind.COMMENT,
        "Until when? 👩‍👩‍👧‍👦",
        post.id,
        post.id,
    )
    assert (one.by.name, one.by.handle, one.url) == ("Ana Ruiz", "@ana_ruiz", f"{tiktok.base}/@regie/video/{post.id}")
    assert {one.reply_to_id for one in found.messages} == {post.id, top}
    assert await shop.messages(cursor="") == found
    assert (await shop.messages(cursor=found.cursor)).messages == ()
    tiktok.world.clock.advance(timedelta(minutes=1))
    late = tiktok.say(by="bo", text="And tomorrow?", to=post.id)
    assert [one.remote_id for one in (await shop.messages(cursor=found.cursor)).messages] == [late]


async def test_what_we_said_ourselves_is_no_message(tiktok: TikTok, shop: Connector) -> None:
    post = tiktok.post_by(tiktok.known_as(None), "Open today")
    tiktok.comment(post, tiktok.known_as(None), "From the app")
    assert (await shop.messages(cursor="")).messages == ()


async def test_an_answer_stands_under_the_comment_and_a_first_comment_under_the_post(
    tiktok: TikTok, shop: Connector, video_there: Make
) -> None:
    post = await publish(shop, saying(videos=(video_there(),)))
    first = await publish(shop, saying("#linen", reply_to=ref(post)))
    assert tiktok.state.comments[first.remote_id].parent == ""
    top = tiktok.say(by="ana", text="Until when?", to=post.remote_id)
    tiktok.say(by="bo", text="Yes, when?", to=top)
    for message in (await shop.messages(cursor="")).messages:
        answer = await publish(shop, saying("Until six", reply_to=ref(message)))
        assert tiktok.state.comments[answer.remote_id].parent == top  # answers to answers stand beside them
        assert answer.extra["parent"] == top
    with pytest.raises(Refused, match="at most 150"):
        await publish(shop, saying("x" * 151, reply_to=ref(post)))
    with pytest.raises(Gone):
        await publish(shop, saying("Hello", reply_to=Ref(remote_id="123")))


async def test_an_answer_that_was_lost_is_found_and_one_that_never_came_is_sent_later(
    tiktok: TikTok, shop: Connector
) -> None:
    post = tiktok.post_by(tiktok.known_as(None), "Open today")
    top = tiktok.say(by="ana", text="Until when?", to=post.id)
    (message,) = (await shop.messages(cursor="")).messages
    what = saying("Until  six", reply_to=ref(message))
    tiktok.faults.will_lose_answer(path="reply/create")
    with pytest.raises(Unclear):
        await shop.commit(what, {})
    found = await shop.what_became_of(what, {})
    assert isinstance(found, Published)
    assert [found.remote_id] == tiktok.state.comments[top].replies
    another = saying("Until seven", reply_to=ref(message))
    with pytest.raises(TryLater):  # it may be on its way still
        await shop.what_became_of(another, {})
    tiktok.world.clock.advance(timedelta(minutes=5))
    assert await shop.what_became_of(another, {}) is None


async def test_comments_are_liked_hidden_and_our_own_deleted(tiktok: TikTok, shop: Connector) -> None:
    post = tiktok.post_by(tiktok.known_as(None), "Open today")
    theirs = tiktok.say(by="ana", text="Spam", to=post.id)
    (message,) = (await shop.messages(cursor="")).messages
    comment = tiktok.state.comments[theirs]
    liked = await shop.like(ref(message))
    assert comment.likes == {tiktok.known_as(None).id}
    assert (await shop.messages(cursor="")).messages[0].liked_by_us
    await shop.unlike(ref(message), liked)
    assert comment.likes == set()
    for _ in range(2):
        await shop.hide(ref(message))
    assert comment.hidden
    await shop.unhide(ref(message))
    assert not comment.hidden
    ours = await publish(shop, saying("Sorry", reply_to=ref(message)))
    await shop.delete(ref(ours))
    await shop.delete(ref(ours))
    assert ours.remote_id not in tiktok.state.comments
    with pytest.raises(Refused):  # TikTok lets nobody delete what others said
        await shop.delete(ref(message))
    with pytest.raises(Refused, match="no posts"):
        await shop.delete(Ref(remote_id=post.id))


async def test_a_post_that_tells_no_comments_keeps_no_others_from_us(tiktok: TikTok, shop: Connector) -> None:
    user = tiktok.known_as(None)
    first, second = tiktok.post_by(user, "one"), tiktok.post_by(user, "two")
    for post in (first, second):
        tiktok.say(by="ana", text="Hello", to=post.id)
    refused = {"code": 40002, "message": "Comments are switched off", "request_id": "1", "data": {}}
    tiktok.faults.will_answer(200, body=refused, path="comment/list")
    assert len((await shop.messages(cursor="")).messages) == 1
    tiktok.faults.will_answer(500, path="comment/list")
    with pytest.raises(TryLater):
        await shop.messages(cursor="")


async def test_through_the_open_api_there_are_no_comments(tiktok: TikTok, ours: Connector) -> None:
    can = Connector.can_on((await ours.whoami()).limits)
    assert (can.reads, can.answers, can.arrival, can.first_comment) == (frozenset(), frozenset(), (), False)
    assert (await ours.messages(cursor="")).messages == ()
    one = Ref(remote_id="1", extra={"kind": "comment", "video": "2"})
    for call in (ours.like(one), ours.hide(one), ours.unhide(one), ours.unlike(one, {}), ours.delete(one)):
        with pytest.raises(Refused, match="no comments"):
            await call


async def test_the_declaration_of_a_business_account(shop: Connector) -> None:
    can = Connector.can_on((await shop.whoami()).limits)
    assert can.reads == {MessageKind.COMMENT}
    assert can.answers == {Answering.REPLY, Answering.LIKE, Answering.HIDE, Answering.DELETE_OWN}
    assert can.arrival == (Arrival.POLL, Arrival.WEBHOOK)
    assert can.first_comment
    assert not can.delete


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (40001, SignInAgain),
        (40100, TryLater),
        (40102, SignInAgain),
        (40105, SignInAgain),
        (40002, Refused),
        (51065, Unclear),
    ],
)
async def test_each_code_is_named_after_what_to_do_next(
    tiktok: TikTok, shop: Connector, video_there: Make, code: int, error: type[Exception]
) -> None:
    what = saying(videos=(video_there(),))
    progress = await prepared(shop, what)
    body = {"code": code, "message": "Because.", "request_id": "1", "data": {}}
    tiktok.faults.will_answer(200, body=body, path="video/publish")
    with pytest.raises(error) as raised:
        await shop.commit(what, progress)
    assert type(raised.value) is error
    assert tiktok.texts() == []


@pytest.mark.parametrize("body", ["<html>Welcome</html>", {}])
async def test_an_answer_that_cannot_be_read_is_unclear(
    tiktok: TikTok, shop: Connector, video_there: Make, body: Any
) -> None:
    what = saying(videos=(video_there(),))
    progress = await prepared(shop, what)
    tiktok.faults.will_do_but_answer(200, body=body, path="video/publish")
    with pytest.raises(Unclear):
        await shop.commit(what, progress)
    tiktok.faults.will_answer(200, body=body, path="business/get")
    with pytest.raises(Refused, match="not its API"):
        await shop.whoami()


async def test_forty_calls_a_minute(tiktok: TikTok, shop: Connector) -> None:
    for _ in range(39):  # and once it asked who it is
        await shop.account_samples()
    with pytest.raises(TryLater) as slowed:
        await shop.account_samples()
    assert slowed.value.not_before == NOW + timedelta(minutes=1)


# Signing in


async def signed_in(http: aiohttp.ClientSession, tiktok: TikTok, **answers: str) -> SignedIn:
    server = f"{tiktok.base}/business"
    begun = await Connector.start(http, server=server, app=keys(tiktok), redirect_uri=REDIRECT)
    async with http.get(begun.url) as page:
        assert page.status == 200
    form = {**dict(parse_qsl(urlsplit(begun.url).query)), "username": "shop", "decision": "allow", **answers}
    page_url = begun.url.split("?")[0]
    async with http.post(page_url, data=form, allow_redirects=False) as back:
        query = dict(parse_qsl(urlsplit(back.headers["Location"]).query))
    assert query["state"] == begun.state
    return await Connector.finish(http, server=server, app=keys(tiktok), redirect_uri=REDIRECT, query=query, secrets={})


async def test_signing_in_as_a_business_account(http: aiohttp.ClientSession, tiktok: TikTok) -> None:
    found = await signed_in(http, tiktok)
    (profile,) = found.profiles
    assert (profile.handle, profile.server, profile.limits["login"]) == (
        "@shop",
        f"{tiktok.base}/business",
        "business",
    )
    assert profile.limits["missing"] == []
    assert found.expires_at is not None
    assert found.reconnect_by is not None
    assert found.reconnect_by - datetime.now(UTC) > timedelta(days=364)
    app = AppKeys(client_id="7", client_secret="s")
    begun = await Connector.start(http, server=BUSINESS, app=app, redirect_uri=REDIRECT)
    assert begun.url.startswith("https://www.tiktok.com/v2/auth/authorize/?client_key=7&")


async def test_permissions_that_were_left_out_are_said(http: aiohttp.ClientSession, tiktok: TikTok) -> None:
    found = await signed_in(http, tiktok, declined="comment.list,comment.list.manage,user.info.stats,user.insights")
    (profile,) = found.profiles
    said = " ".join(profile.limits["missing"])
    assert "Comments cannot be read" in said
    assert "Comments cannot be answered" in said
    assert "no daily numbers" in said
    login = Login(
        server=profile.server, remote_id=profile.remote_id, credentials=found.credentials, limits=profile.limits
    )
    assert await Connector(http, login).account_samples() == dict.fromkeys(
        Connector.can_on(login.limits).account_metrics
    )


async def test_its_token_is_traded_and_revoked(http: aiohttp.ClientSession, tiktok: TikTok) -> None:
    found = await signed_in(http, tiktok)
    (profile,) = found.profiles
    login = Login(
        server=profile.server,
        remote_id=profile.remote_id,
        credentials=found.credentials,
        app=keys(tiktok),
        limits=profile.limits,
    )
    tiktok.expire_tokens()
    with pytest.raises(TokenExpired):
        await Connector(http, login).whoami()
    fresh = await Connector(http, login).refresh()
    with pytest.raises(SignInAgain):
        await Connector(http, login).refresh()
    renewed = Connector(http, replace(login, credentials=fresh.credentials))
    assert (await renewed.whoami()).handle == "@shop"
    for body in ({"code": 40113, "message": "Invalid app id"}, {"code": 51000, "message": "busy"}, "<html>"):
        tiktok.faults.will_answer(200, body=body, path="oauth2/refresh_token")
        with pytest.raises(TryLater):
            await renewed.refresh()
    await renewed.revoke()
    with pytest.raises(SignInAgain):
        await renewed.refresh()


async def test_a_token_of_the_one_login_is_none_of_the_other(http: aiohttp.ClientSession, tiktok: TikTok) -> None:
    ready = tiktok.ready_account()
    login = Login(server=f"{tiktok.base}/business", remote_id=ready["remote_id"], credentials=ready["credentials"])
    with pytest.raises(SignInAgain):
        await Connector(http, login).whoami()
