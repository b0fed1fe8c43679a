"""Posts with everything VK attaches, stories, comments, and what happens on VK's own bad days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from regie.networks.capabilities import Format, NobodyKnows
from regie.networks.data import Document, Draft, Outgoing, Pending, Picture, Poll, Published, Ready, Ref, Video
from regie.networks.errors import Gone, NetworkError, Refused, SignInAgain, TryLater, Unclear
from regie.networks.vk import publishing
from regie.networks.vk.connector import Vk as Connector
from regie_sandbox.vk.app import Vk

Pictures = Callable[..., Picture]
Videos = Callable[..., Video]
HOUR = timedelta(hours=1)


def saying(text: str = "Good morning", **more: Any) -> Outgoing:
    return Outgoing(**{"key": "k1", "text": text, "planned_at": datetime.now(UTC), **more})


async def published(connector: Connector, what: Outgoing) -> Published:
    ready = await connector.prepare(what, {})
    assert isinstance(ready, Ready)
    out = await connector.commit(what, ready.progress)
    assert isinstance(out, Published)
    return out


def ref_to(out: Published) -> Ref:
    return Ref(remote_id=out.remote_id, root_id=out.remote_id, extra=out.extra, root_extra=out.extra)


async def test_a_text_with_all_that_goes_with_it(connector: Connector, vk: Vk) -> None:
    options = {
        "link": "https://shop.example/door", "source": "https://news.example/1", "no_comments": True,
        "no_notifications": True, "advertisement": True, "place": "45.764, 4.8357", "signed": True,
    }  # fmt: skip
    out = await published(connector, saying(options=options))
    post = vk.state.posts[out.remote_id]
    assert (post.text, post.attachments) == ("Good morning", ["https://shop.example/door"])
    assert (post.closed, post.ads, post.source, post.author) == (True, True, "https://news.example/1", post.owner)
    assert (post.point, post.signer in vk.state.groups[-post.owner].admins) == ((45.764, 4.8357), True)
    assert (out.url, Connector.id_of(out.url)) == (f"https://vk.com/wall{out.remote_id}", out.remote_id)


@pytest.mark.parametrize("place", ["Lyon", "91, 4", "45.7, 181", "45.7"])
async def test_a_place_is_a_latitude_and_a_longitude(connector: Connector, vk: Vk, place: str) -> None:
    (refused,) = Connector.objections({}, Draft(text="Here", options={"place": place}))
    assert refused.said == f"“{place}” is no latitude and longitude."
    with pytest.raises(Refused, match="no latitude"):
        await connector.commit(saying(options={"place": place}), {})
    assert vk.posts() == []


async def test_pictures_videos_and_a_document_keep_their_order(
    connector: Connector, vk: Vk, picture: Pictures, video: Videos, document: Document
) -> None:
    what = saying(
        pictures=(picture("a.jpg", place=0), picture("b.jpg", place=2)),
        videos=(video(place=1, cover=picture("cover.jpg")),),
        documents=(document,),
        options={"title": "A walk"},
    )
    out = await published(connector, what)
    attached = [vk.state.media[one] for one in vk.state.posts[out.remote_id].attachments]
    assert [one.kind for one in attached] == ["photo", "video", "photo", "doc"]
    assert [one.name for one in attached if one.name] == ["A walk", "The menu"]
    assert attached[1].thumb
    assert {one.owner for one in attached} == {vk.state.posts[out.remote_id].owner}


async def test_a_poll_stands_below_a_text_and_is_never_alone(connector: Connector, vk: Vk) -> None:
    poll = Poll(options=("Oui", "Non"), question="Open on Sunday?", multiple=True)
    out = await published(connector, saying("", poll=poll))
    post = vk.state.posts[out.remote_id]
    (kept,) = [vk.state.media[one] for one in post.attachments]
    assert (kept.name, kept.answers, kept.multiple) == ("Open on Sunday?", ["Oui", "Non"], True)
    assert post.text == "Open on Sunday?"
    asked = await published(connector, saying("Shall we?", key="k2", poll=Poll(options=("Oui", "Non"))))
    (kept,) = [vk.state.media[one] for one in vk.state.posts[asked.remote_id].attachments]
    assert kept.name == "Shall we?"  # the text asks, where nothing else does
    for wrong in (Poll(options=("A", "B")), Poll(options=("A", "B"), question="?", correct=0)):
        with pytest.raises(Refused):
            await connector.prepare(saying("", poll=wrong), {})


@pytest.mark.parametrize("kind", ["photo", "video"])
async def test_a_story(connector: Connector, vk: Vk, picture: Pictures, video: Videos, kind: str) -> None:
    files: dict[str, Any] = {"pictures": (picture(),)} if kind == "photo" else {"videos": (video(),)}
    what = saying("", format=Format.STORY, **files)
    ready = await connector.prepare(what, {})
    assert vk.state.stories == {}
    out = await connector.commit(what, ready.progress)
    assert isinstance(out, Published)
    assert vk.state.stories[out.remote_id].kind == kind
    listing = await connector.own_posts(since=datetime.now(UTC) - HOUR)
    assert [one.remote_id for one in listing.seen] == [out.remote_id]
    told = (await connector.post_samples([ref_to(out)]))[out.remote_id]
    assert (told["views"], told["likes"], told["reach"]) == (5, 1, None)
    vk.state.stories[out.remote_id].made_at -= timedelta(days=2)
    assert await connector.post_samples([ref_to(out)]) == {out.remote_id: {}}  # over, and not gone
    for _ in range(2):
        await connector.delete(ref_to(out))
    assert vk.state.stories == {}
    assert await connector.post_samples([ref_to(out)]) == {}


async def test_a_first_comment_and_an_answer_stand_under_their_post(connector: Connector, vk: Vk) -> None:
    post = await published(connector, saying())
    first = await published(connector, saying("The link is here", key="k2", reply_to=ref_to(post)))
    vk.say(by="Ana Belle", text="Thanks!", to=first.remote_id)
    (heard,) = (await connector.messages(cursor="")).messages
    assert (heard.reply_to_id, heard.post_id) == (first.remote_id, post.remote_id)
    to = Ref(remote_id=heard.remote_id, root_id=heard.conversation_id, extra=heard.extra)
    answer = await published(connector, saying("You are welcome", key="k3", reply_to=to))
    comments = {f"{one.owner}_{one.post}_{one.id}": one for one in vk.state.comments.values()}
    group = -int(vk.ready_account()["remote_id"])
    assert (comments[first.remote_id].author, comments[answer.remote_id].author) == (group, group)
    assert comments[answer.remote_id].parent == comments[first.remote_id].id
    await connector.delete(ref_to(answer))
    assert comments[answer.remote_id].deleted


async def test_the_same_post_twice_is_one_post_in_the_hour(connector: Connector, vk: Vk) -> None:
    vk.faults.will_lose_answer(path="wall.post")
    with pytest.raises(Unclear):
        await connector.commit(saying(), {})
    again = await connector.commit(saying(), {})
    assert isinstance(again, Published)
    assert vk.posts() == [again.remote_id]


async def test_an_edit_keeps_the_files_that_are_sent_with_it(connector: Connector, vk: Vk, picture: Pictures) -> None:
    out = await published(connector, saying(pictures=(picture(),)))
    what = saying("Until seven", key="k2", pictures=(picture(),))
    ready = await connector.prepare(what, {})
    await connector.edit(ref_to(out), what, ready.progress)
    post = vk.state.posts[out.remote_id]
    assert (post.text, [vk.state.media[one].kind for one in post.attachments]) == ("Until seven", ["photo"])


async def test_files_that_are_there_are_not_sent_again(connector: Connector, vk: Vk, picture: Pictures) -> None:
    what = saying(pictures=(picture("a.jpg"), picture("b.jpg", place=1)))
    vk.faults.will_drop(path="/upload/", times=1)
    vk.faults.waiting[0].after = 1
    broken = await connector.prepare(what, {})
    assert isinstance(broken, Pending)
    assert len(broken.progress["attached"]) == 1
    ready = await connector.prepare(what, broken.progress)
    assert isinstance(ready, Ready)
    assert ready.progress["attached"][0] == broken.progress["attached"][0]
    assert len([one for one in vk.state.media.values() if one.kind == "photo"]) == 2


async def test_a_file_that_lies_about_itself_is_refused(connector: Connector, picture: Pictures, video: Videos) -> None:
    false = picture("a.jpg")
    false.path.write_bytes(b"not a picture at all")
    for what in (
        saying(pictures=(false,)),
        saying(videos=(video(b"not a film" * 9),)),
        saying("", format=Format.STORY, pictures=(false,)),
    ):
        with pytest.raises(Refused):
            await connector.prepare(what, {})


async def test_with_the_communitys_key_alone_texts_and_documents_go_out(
    signed_in: Callable[..., Connector], vk: Vk, picture: Pictures, document: Document
) -> None:
    connector = signed_in(admin=False)
    profile = await connector.whoami()
    can = Connector.can_on(profile.limits)
    assert (can.images, can.video, can.poll, can.edit, can.delete) == (None, None, None, False, False)
    assert isinstance(can.repeat, NobodyKnows)
    assert any("administrator" in said for said in profile.limits["missing"])
    out = await published(connector, saying(documents=(document,), options={"link": "https://shop.example"}))
    assert vk.state.posts[out.remote_id].author == vk.state.posts[out.remote_id].owner
    with pytest.raises(Refused, match="administrator"):
        await connector.prepare(saying(pictures=(picture(),)), {})
    with pytest.raises(Refused, match="administrator"):
        await connector.delete(ref_to(out))
    assert await connector.post_samples([ref_to(out)]) == {out.remote_id: {}}  # it is not gone
    assert set(await connector.account_samples()) == set(can.account_metrics)


async def test_what_a_key_may_not_is_said_before_it_is_tried(connector: Connector, vk: Vk) -> None:
    assert (await connector.whoami()).limits["missing"] == []
    kept = vk.ready_account()["credentials"]
    vk.state.keys[kept["community_key"]].rights.remove("messages")
    vk.state.keys[kept["admin_key"]].rights.remove("video")
    missing = (await connector.whoami()).limits["missing"]
    assert [said.split(":")[0] for said in missing] == [
        "Direct messages can be neither read nor answered", "No videos can be published",
    ]  # fmt: skip


@pytest.mark.shows("sign_in")
async def test_somebody_connects_a_community_with_its_keys(http: Any, vk: Vk) -> None:
    ready = vk.ready_account()
    signed = await Connector.sign_in(http, server=vk.base, fields=dict(ready["credentials"]))
    (profile,) = signed.profiles
    assert (profile.remote_id, profile.handle, profile.limits["admin"]) == (ready["remote_id"], "@regie", True)
    assert not any(secret in repr(signed) for secret in ready["credentials"].values())
    with pytest.raises(Refused, match="does not know this key"):
        await Connector.sign_in(http, server=vk.base, fields={"community_key": "vk1.a.wrong"})


ERRORS: list[tuple[int, type[NetworkError]]] = [
    (5, SignInAgain), (1051, SignInAgain), (6, TryLater), (9, TryLater), (29, TryLater), (219, TryLater),
    (224, TryLater), (14, Refused), (15, Refused), (100, Refused), (214, Refused), (222, Refused), (1, Unclear),
    (10, Unclear),
]  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), ERRORS)
async def test_an_error_says_what_comes_next(
    connector: Connector, vk: Vk, code: int, expected: type[NetworkError]
) -> None:
    body = {"error": {"error_code": code, "error_msg": "No", "request_params": []}}
    vk.faults.will_answer(200, body=body, path="wall.post")
    with pytest.raises(expected) as met:
        await connector.commit(saying(), {})
    assert type(met.value) is expected
    assert vk.texts() == []


async def test_what_vk_repeats_of_our_question_is_not_kept(connector: Connector, vk: Vk) -> None:
    params = [{"key": "access_token", "value": "vk1.a.secret"}]
    body = {"error": {"error_code": 100, "error_msg": "No", "request_params": params}}
    vk.faults.will_answer(200, body=body, path="wall.post")
    with pytest.raises(Refused) as met:
        await connector.commit(saying(), {})
    assert met.value.answer is not None
    assert met.value.answer.kept()["body"] == {"error": {"error_code": 100, "error_msg": "No"}}


async def test_too_many_questions_in_a_second_wait_a_moment(
    connector: Connector, vk: Vk, picture: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regie.networks.vk.wire.BREATH", 0.01)
    body = {"error": {"error_code": 6, "error_msg": "Too many requests per second", "request_params": []}}
    vk.faults.will_answer(200, body=body, path="saveWallPhoto", times=3)
    assert (await published(connector, saying(pictures=(picture(),)))).remote_id
    vk.faults.will_answer(200, body=body, path="getWallUploadServer", times=9)
    with pytest.raises(TryLater) as slowed:
        await connector.prepare(saying(pictures=(picture(),)), {})
    assert slowed.value.not_before is not None


async def test_a_pinned_post_does_not_end_the_list(
    connector: Connector, vk: Vk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "PAGE", 3)
    for nth in range(7):
        await published(connector, saying(f"Post {nth}", key=f"k{nth}"))
    rows = list(vk.state.posts.values())
    rows[-1].made_at -= timedelta(days=30)  # first in the list, and old
    listing = await connector.own_posts(since=datetime.now(UTC) - HOUR)
    assert [one.text for one in listing.seen].count("Post 6") == 0
    assert len(listing.seen) == 6
    assert listing.reaches_back_to <= datetime.now(UTC) - HOUR + timedelta(seconds=5)


async def test_one_that_is_gone_is_gone(connector: Connector) -> None:
    out = await published(connector, saying())
    assert (await connector.fetch(out.remote_id)).at is not None
    await connector.delete(ref_to(out))
    with pytest.raises(Gone):
        await connector.fetch(out.remote_id)
    with pytest.raises(Gone):
        await connector.edit(ref_to(out), saying("Again"), {})


@pytest.mark.parametrize(
    ("url", "remote_id"),
    [
        ("https://vk.com/wall-123_45", "-123_45"),
        ("https://vk.ru/wall-123_45?reply=7", "-123_45"),
        ("https://m.vk.com/wall-123_45", "-123_45"),
        ("https://vk.com/regie?w=wall-123_45%2Fall", "-123_45"),
        ("https://vk.com/regie", None),
        ("https://evil.example/vk.com/wall-1_2", None),
    ],
)
def test_the_address_of_a_post_tells_which_it_is(url: str, remote_id: str | None) -> None:
    assert Connector.id_of(url) == remote_id
