"""Texts, links, files, polls and comments on Reddit: what comes out, what is refused before, and what it says later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from regie.networks.data import Draft, Pending, Picture, Poll, Published, Ref, Video
from regie.networks.errors import Gone, Refused, TokenExpired, TryLater
from regie.networks.reddit.connector import Reddit as Connector
from regie.networks.reddit.limits import community_of
from regie_sandbox.reddit.app import Reddit
from regie_sandbox.reddit.state import Flair

from .posting import NOW, prepared, publish, ref_to, saying

Pictures = Callable[[int], tuple[Picture, ...]]
Videos = Callable[[int], tuple[Video, ...]]


async def test_a_text_with_its_title_stands_in_its_community(account: Connector, reddit: Reddit) -> None:
    published = await publish(account, saying("Open **until** six & later"))
    (post,) = reddit.state.posts.values()
    assert (post.title, post.text, post.community, post.kind) == (
        "Good morning",
        "Open **until** six & later",
        "regie_hq",
        "self",
    )
    assert published.remote_id == post.id
    assert published.url == f"https://www.reddit.com/r/regie_hq/comments/{post.id[3:]}/good_morning/"
    assert (published.at, published.limited) == (NOW, "")


async def test_a_post_goes_to_the_accounts_own_profile(account: Connector, reddit: Reddit) -> None:
    await publish(account, saying(options={"community": "u/regie"}))
    (post,) = reddit.state.posts.values()
    assert post.community == "u_regie"


async def test_a_link_is_a_link_with_the_text_below(account: Connector, reddit: Reddit) -> None:
    await publish(account, saying("Our new page", options={"link": "https://example.com/new?a=1&b=2"}))
    (post,) = reddit.state.posts.values()
    assert (post.kind, post.url, post.text) == ("link", "https://example.com/new?a=1&b=2", "Our new page")


async def test_switches_and_flair_are_kept(account: Connector, reddit: Reddit) -> None:
    reddit.community("regie_hq").flairs = [Flair("f1", "News"), Flair("f2", "Team", mod_only=True)]
    choices = await account.choices("flair", chosen={"community": "r/regie_hq"})
    assert [(one.value, one.label) for one in choices] == [("f1", "News"), ("f2", "Team")]
    await publish(account, saying(options={"flair": "f1", "nsfw": True, "spoiler": True, "send_replies": False}))
    (post,) = reddit.state.posts.values()
    assert (post.flair_id, post.nsfw, post.spoiler, post.send_replies) == ("f1", True, True, False)


async def test_flairs_of_moderators_are_for_moderators(account: Connector, reddit: Reddit) -> None:
    town = reddit.found_community("town", by=reddit.person("mayor"))
    town.flairs = [Flair("f1", "News"), Flair("f2", "Team", mod_only=True)]
    assert [one.label for one in await account.choices("flair", chosen={"community": "town"})] == ["News"]
    assert await account.choices("flair", chosen={"community": "r/regie_hq"}) == ()
    assert await account.choices("flair", chosen={}) == ()


async def test_one_picture_is_looked_for_until_reddit_has_made_a_post_of_it(
    account: Connector, reddit: Reddit, pictures: Pictures
) -> None:
    reddit.media_seconds = 5
    what = saying("Our shop", pictures=pictures(1))
    pending = await account.commit(what, await prepared(account, what))
    assert isinstance(pending, Pending)
    assert pending.not_before == NOW + timedelta(seconds=3)
    again = await account.commit(what, pending.progress)
    assert isinstance(again, Pending)
    reddit.world.clock.set(NOW + timedelta(seconds=6))
    published = await account.commit(what, again.progress)
    assert isinstance(published, Published)
    (post,) = reddit.state.posts.values()
    assert (published.remote_id, post.kind, post.text) == (post.id, "image", "Our shop")
    assert reddit.world.files.get(f"reddit-{post.assets[0]}") == what.pictures[0].path.read_bytes()


async def test_a_file_that_never_becomes_a_post_is_said_to_be_none(
    account: Connector, reddit: Reddit, pictures: Pictures
) -> None:
    reddit.media_seconds = 1e6
    what = saying(pictures=pictures(1))
    pending = await account.commit(what, await prepared(account, what))
    assert isinstance(pending, Pending)
    reddit.world.clock.set(NOW + timedelta(hours=2))
    with pytest.raises(Refused, match="made no post of it"):
        await account.commit(what, pending.progress)
    assert len(reddit.state.posts) == 1


async def test_a_gallery_keeps_the_order(account: Connector, reddit: Reddit, pictures: Pictures) -> None:
    first, second, third = pictures(3)
    await publish(account, saying("Three", pictures=(replace(third, place=0), replace(first, place=1), second)))
    (post,) = reddit.state.posts.values()
    sent = [reddit.world.files.get(f"reddit-{one}") for one in post.assets]
    assert (post.kind, post.text) == ("gallery", "Three")
    assert sent == [third.path.read_bytes(), first.path.read_bytes(), second.path.read_bytes()]


async def test_below_the_pictures_of_a_gallery_stand_captions_and_a_link(
    account: Connector, reddit: Reddit, pictures: Pictures
) -> None:
    first, second = (replace(one, alt=alt) for one, alt in zip(pictures(2), ("Yarn", ""), strict=True))
    chosen = {"captions": True, "outbound": "https://example.org/yarn"}
    await publish(account, saying("Two", pictures=(first, second), options=chosen))
    await publish(account, saying("Two more", pictures=(first, second), key="k2"))
    with_words, without = reddit.state.posts.values()
    assert (with_words.captions, with_words.outbound) == (["Yarn", ""], ["https://example.org/yarn"] * 2)
    assert (without.captions, without.outbound) == (["", ""], ["", ""])  # an alternative text is no caption by itself


async def test_a_caption_that_is_too_long_or_has_no_gallery_is_said_before_anything_is_sent(
    account: Connector, reddit: Reddit, pictures: Pictures
) -> None:
    long = tuple(replace(one, alt="x" * 181) for one in pictures(2))
    with pytest.raises(Refused, match="at most 180 characters"):
        await account.prepare(saying("Two", pictures=long, options={"captions": True}), {})
    draft = Draft(text="One", options={"title": "One", "outbound": "https://example.org/"}, pictures=1)
    assert ["a gallery only" in one.said for one in Connector.objections({}, draft)] == [True]
    assert not reddit.state.posts


async def test_a_video_goes_with_its_cover_and_a_grey_one_without(
    account: Connector, reddit: Reddit, pictures: Pictures, videos: Videos
) -> None:
    (video,) = videos(1)
    (cover,) = pictures(1)
    for number, one in enumerate((replace(video, cover=cover), video)):
        what = saying("Walk", videos=(one,), options={"title": f"Walk {number}"})
        progress = await prepared(account, what)
        pending = await account.commit(what, progress)
        assert isinstance(pending, Pending)
        assert isinstance(await account.commit(what, pending.progress), Published)
        poster = reddit.world.files.get(f"reddit-{progress['files'][1]['asset']}")
        assert poster is not None
        assert (poster == cover.path.read_bytes()) is (number == 0)
        assert poster.startswith((b"\xff\xd8", b"\x89PNG"))
    assert [post.kind for post in reddit.state.posts.values()] == ["video", "video"]


async def test_files_that_are_there_are_not_sent_again(account: Connector, reddit: Reddit, pictures: Pictures) -> None:
    what = saying(pictures=pictures(3))
    reddit.faults.will_answer(503, path="/reddit-uploaded-media", after=1)
    halted = await account.prepare(what, {})
    assert isinstance(halted, Pending)
    assert len(halted.progress["files"]) == 1
    ready = await account.prepare(what, halted.progress)
    assert len(ready.progress["files"]) == 3
    assert ready.progress["files"][0] == halted.progress["files"][0]
    assert sum(one.there for one in reddit.state.assets.values()) == 3


async def test_a_file_beyond_the_stores_limit_is_refused(
    account: Connector, reddit: Reddit, pictures: Pictures
) -> None:
    body = "<?xml version='1.0' encoding='UTF-8'?><Error><Code>EntityTooLarge</Code></Error>"
    reddit.faults.will_answer(400, path="/reddit-uploaded-media", body=body)
    with pytest.raises(Refused, match="too large"):
        await account.prepare(saying(pictures=pictures(2)), {})


async def test_a_poll_is_open_for_whole_days(account: Connector, reddit: Reddit) -> None:
    poll = Poll(options=("Tea", "Coffee"), lasts=timedelta(days=3))
    published = await publish(account, saying("Tell us", poll=poll))
    (post,) = reddit.state.posts.values()
    assert post.poll is not None
    assert (post.poll.options, post.poll.ends_at) == (["Tea", "Coffee"], NOW + timedelta(days=3))
    listing = await account.own_posts(since=NOW - timedelta(hours=1))
    assert [(one.remote_id, one.text) for one in listing.seen] == [(published.remote_id, "Tell us")]
    with pytest.raises(Refused, match="whole days"):
        await account.prepare(saying(poll=replace(poll, lasts=timedelta(hours=30))), {})
    with pytest.raises(Refused, match="no answer of it is right"):
        await account.prepare(saying(poll=replace(poll, correct=0)), {})


# What a community wants is asked before


@pytest.mark.parametrize(
    ("wish", "options", "said"),
    [
        ({"is_flair_required": True}, {}, "choose one"),
        ({"title_text_min_length": 20}, {}, "at least 20"),
        ({"title_text_max_length": 5}, {}, "at most 5"),
        ({"title_required_strings": ["[Ad]"]}, {}, r"\[Ad\]"),
        ({"title_blacklisted_strings": ["morning"]}, {}, "morning"),
        ({"body_restriction_policy": "notAllowed"}, {}, "title only"),
        ({"body_text_min_length": 100}, {}, "at least 100"),
        ({"body_text_max_length": 3}, {}, "at most 3"),
        ({"body_blacklisted_strings": ["until"]}, {}, "until"),
        (
            {"link_restriction_policy": "blacklist", "domain_blacklist": ["example.com"]},
            {"link": "https://www.example.com/x"},
            "example.com",
        ),
        (
            {"link_restriction_policy": "whitelist", "domain_whitelist": ["example.org"]},
            {"link": "https://example.com/x"},
            "example.com",
        ),
    ],
)
async def test_what_a_community_does_not_want_is_said_before(
    account: Connector, reddit: Reddit, wish: dict[str, object], options: dict[str, str], said: str
) -> None:
    for name, value in wish.items():
        setattr(reddit.community("regie_hq").wants, name, value)
    with pytest.raises(Refused, match=said):
        await account.prepare(saying(options=options), {})
    assert reddit.texts() == []


async def test_a_text_is_asked_for_where_a_community_wants_one(account: Connector, reddit: Reddit) -> None:
    reddit.community("regie_hq").wants.body_restriction_policy = "required"
    with pytest.raises(Refused, match="without a text"):
        await account.prepare(saying(""), {})
    await publish(account, saying("There is one"))
    assert reddit.texts() == ["There is one"]


async def test_kinds_that_a_community_lacks_are_said_before(
    account: Connector, reddit: Reddit, pictures: Pictures, videos: Videos
) -> None:
    community = reddit.community("regie_hq")
    community.lacks = {"image", "gallery", "video", "poll"}
    poll = Poll(options=("Tea", "Coffee"), lasts=timedelta(days=1))
    for what in ({"pictures": pictures(1)}, {"pictures": pictures(2)}, {"videos": videos(1)}, {"poll": poll}):
        with pytest.raises(Refused, match="takes no"):
            await account.prepare(saying(**what), {})
    community.submission_type = "link"
    with pytest.raises(Refused, match="no texts"):
        await account.prepare(saying(), {})
    community.submission_type = "self"
    with pytest.raises(Refused, match="no links"):
        await account.prepare(saying(options={"link": "https://example.com"}), {})


async def test_communities_that_are_not_there_closed_or_forbidden(account: Connector, reddit: Reddit) -> None:
    with pytest.raises(Refused, match="no such community"):
        await account.prepare(saying(options={"community": "r/nowhere"}), {})
    club = reddit.found_community("club", by=reddit.person("mayor"), kind="private")
    with pytest.raises(Refused, match="closed"):
        await account.prepare(saying(options={"community": "r/club"}), {})
    club.kind = "public"
    club.banned.add("regie")
    with pytest.raises(Refused, match="banned"):
        await account.prepare(saying(options={"community": "r/club"}), {})


async def test_what_changed_since_is_said_when_it_is_sent(account: Connector, reddit: Reddit) -> None:
    what = saying()
    progress = await prepared(account, what)
    reddit.community("regie_hq").wants.is_flair_required = True
    with pytest.raises(Refused, match="without a flair"):
        await account.commit(what, progress)
    reddit.community("regie_hq").kind = "restricted"
    reddit.community("regie_hq").moderators.clear()
    reddit.community("regie_hq").members.clear()
    with pytest.raises(Refused, match="may not post"):
        await account.commit(what, progress)
    assert reddit.texts() == []


async def test_a_break_that_reddit_asks_for_is_taken(account: Connector, reddit: Reddit) -> None:
    what = saying()
    progress = await prepared(account, what)
    reddit.break_for = timedelta(minutes=14)
    with pytest.raises(TryLater) as told:
        await account.commit(what, progress)
    assert told.value.not_before == NOW + timedelta(minutes=15)  # it rounds down
    body = {"json": {"ratelimit": 42.5, "errors": [["RATELIMIT", "you are doing that too much", "ratelimit"]]}}
    reddit.faults.will_answer(200, path="/api/submit", body=body)
    with pytest.raises(TryLater) as told:
        await account.commit(what, progress)
    assert told.value.not_before == NOW + timedelta(seconds=42.5)
    assert reddit.texts() == []


async def test_too_many_requests_say_when_there_may_be_more(account: Connector, reddit: Reddit) -> None:
    reddit.meter.most = 0
    with pytest.raises(TryLater) as told:
        await account.whoami()
    assert told.value.not_before == NOW + timedelta(minutes=10)


async def test_a_token_that_ran_out_is_traded_not_mourned(account: Connector, reddit: Reddit) -> None:
    what = saying()
    progress = await prepared(account, what)
    reddit.expire_tokens()
    with pytest.raises(TokenExpired):
        await account.commit(what, progress)
    assert reddit.texts() == []


# What became of it


async def test_what_a_moderator_holds_back_is_not_shown_as_public(account: Connector, reddit: Reddit) -> None:
    reddit.community("regie_hq").automod = ["sale"]
    published = await publish(account, saying("Summer sale"))
    assert "AutoModerator" in (await account.fetch(published.remote_id)).limited
    reddit.post(published.remote_id).removed = ""
    assert (await account.fetch(published.remote_id)).limited == ""
    reddit.post(published.remote_id).removed = "moderator"
    assert "moderators" in (await account.fetch(published.remote_id)).limited


async def test_only_a_text_can_be_changed(account: Connector, reddit: Reddit) -> None:
    published = await publish(account, saying())
    edited = await account.edit(ref_to(published), saying("Open until seven"), {})
    assert (edited.remote_id, edited.url) == (published.remote_id, published.url)
    assert reddit.texts() == ["Open until seven"]
    with pytest.raises(Refused, match="title"):
        await account.edit(ref_to(published), saying("x", options={"title": "Good evening"}), {})
    await account.delete(ref_to(published))
    with pytest.raises(Gone):
        await account.edit(ref_to(published), saying("x"), {})


async def test_a_first_comment_and_its_answer(account: Connector, reddit: Reddit) -> None:
    post = await publish(account, saying())
    comment = await publish(account, saying("The address is below", reply_to=ref_to(post)))
    assert comment.remote_id.startswith("t1_")
    assert comment.url.endswith(f"/{comment.remote_id[3:]}/")
    listing = await account.own_posts(since=NOW - timedelta(hours=1))
    assert {one.remote_id: one.reply_to_id for one in listing.seen} == {
        post.remote_id: "",
        comment.remote_id: post.remote_id,
    }
    with pytest.raises(Refused, match="10000"):
        await account.prepare(saying("x" * 10_001, reply_to=ref_to(post)), {})
    await account.delete(ref_to(comment))
    with pytest.raises(Gone):
        await account.fetch(comment.remote_id)


async def test_somebody_elses_post_is_not_ours_to_take_away(account: Connector, reddit: Reddit) -> None:
    theirs = reddit.say(by="ana", text="Mine")
    with pytest.raises(Refused):
        await account.delete(Ref(remote_id=theirs))
    assert reddit.post(theirs).removed == ""


async def test_own_posts_reach_back_over_pages(account: Connector, reddit: Reddit) -> None:
    me = reddit.person("regie")
    for number in range(130):
        reddit.world.clock.set(NOW + timedelta(minutes=number))
        reddit.publish(me, reddit.community("regie_hq"), kind="self", title=f"Number {number}", text=str(number))
    listing = await account.own_posts(since=NOW + timedelta(minutes=10))
    assert [one.text for one in listing.seen] == [str(number) for number in range(129, 9, -1)]
    assert listing.reaches_back_to == NOW + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("france", "france"),
        ("r/france", "france"),
        ("/r/France/", "France"),
        ("https://www.reddit.com/r/france/", "france"),
        ("u/regie", "u_regie"),
        ("u_regie", "u_regie"),
        ("https://reddit.com/user/regie", "u_regie"),
    ],
)
def test_a_community_is_named_in_many_ways(typed: str, name: str) -> None:
    assert community_of(typed) == name


def test_what_excludes_each_other_is_said_while_writing() -> None:
    options = {"community": "r/france", "title": "Hi", "link": "https://example.com"}
    assert Connector.objections({}, Draft(text="", options=options)) == ()
    (said,) = Connector.objections({}, Draft(text="", options=options, pictures=2))
    assert "one of them" in said.said
    (said,) = Connector.objections({}, Draft(text="", options={"community": "not a name"}))
    assert "not the name of a community" in said.said


@pytest.mark.parametrize(
    ("url", "remote_id"),
    [
        ("https://www.reddit.com/r/france/comments/1sbx001/good_morning/", "t3_1sbx001"),
        ("https://www.reddit.com/r/france/comments/1sbx001/", "t3_1sbx001"),
        ("https://www.reddit.com/r/france/comments/1sbx001/good_morning/mynqwvd/", "t1_mynqwvd"),
        ("https://www.reddit.com/user/regie/comments/1sbx001/hello/", "t3_1sbx001"),
        ("https://www.reddit.com/gallery/1sbx001", "t3_1sbx001"),
        ("https://redd.it/1sbx001", "t3_1sbx001"),
        ("https://www.reddit.com/r/france/", None),
    ],
)
def test_a_link_to_a_post_is_read(url: str, remote_id: str | None) -> None:
    assert Connector.id_of(url) == remote_id
