"""Uploads in parts, the one request that can be seen, and what TikTok says after a lost answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from regie.networks.capabilities import Counting, Format
from regie.networks.data import Draft, Login, Pending, Poll, Published, Ref
from regie.networks.errors import Gone, Refused, SignInAgain, TryLater, Unclear
from regie.networks.options import clashing, worded
from regie.networks.text import length
from regie.networks.tiktok.connector import TikTok as Connector
from regie.networks.tiktok.publishing import MOST_LOOKS, part_size, parts_of
from regie_sandbox.tiktok.app import TikTok

from .posting import FRIENDS, LONG, MOVIE, NOW, PART, PRIVATE, PUBLIC, committed, prepared, publish, saying

Make = Callable[..., Any]


def sent(tiktok: TikTok) -> bytes:
    """The video that TikTok has."""
    (one,) = tiktok.state.publishing.values()
    parts = [tiktok.world.files.get(f"tiktok-{one.id}-{nth}") for nth in range(one.size // one.each)]
    return b"".join(part or b"" for part in parts)


async def test_a_video_with_its_words_and_choices(tiktok: TikTok, ours: Connector, video: Make) -> None:
    what = saying(
        "Élégance 🇫🇷 #fyp",
        videos=(video(cover_at=2.5),),
        options={"allow_comments": True, "own_brand": True, "made_with_ai": True},
        format=Format.SHORT,
    )
    published = await publish(ours, what)
    post = tiktok.state.posts[published.remote_id]
    assert (post.text, post.privacy, post.kind) == ("Élégance 🇫🇷 #fyp", PUBLIC, "video")
    assert post.info == {
        "disable_comment": False,
        "disable_duet": True,
        "disable_stitch": True,
        "brand_content_toggle": False,
        "brand_organic_toggle": True,
        "is_aigc": True,
        "video_cover_timestamp_ms": 2500,
    }
    assert published.url == f"{tiktok.base}/@regie/video/{post.id}"
    assert (published.at, published.limited) == (NOW, "")
    assert sent(tiktok) == MOVIE


async def test_photos_with_a_title_a_description_and_music(tiktok: TikTok, ours: Connector, picture: Make) -> None:
    pictures = (picture("a", place=0), picture("b", place=1))
    what = saying("Two windows", pictures=pictures, options={"title": "Teal", "add_music": True})
    published = await publish(ours, what)
    post = tiktok.state.posts[published.remote_id]
    assert (post.title, post.text, post.images, post.info["auto_add_music"]) == ("Teal", "Two windows", 2, True)
    assert post.info["disable_comment"] is True
    assert published.url == f"{tiktok.base}/@regie/photo/{post.id}"
    assert [entry.media for entry in tiktok.world.ledger.entries] == [2]


async def test_the_cover_of_photos_is_the_one_that_was_chosen_or_else_the_first(
    tiktok: TikTok, ours: Connector, picture: Make
) -> None:
    pictures = tuple(picture(name, place=place) for place, name in enumerate("abc"))
    for text, chosen in (("First", {}), ("Second", {"cover_picture": "2"}), ("Last", {"cover_picture": "3"})):
        await publish(ours, saying(text, pictures=pictures, options=chosen))
    assert {post.text: post.cover for post in tiktok.state.posts.values()} == {"First": 0, "Second": 1, "Last": 2}


@pytest.mark.parametrize("number", ["0", "4", "-1", "a", "²", "1.5", pytest.param("1" * 5000, id="endless")])
async def test_a_cover_that_is_none_of_the_photos_is_refused_before_anything_is_sent(
    tiktok: TikTok, ours: Connector, picture: Make, number: str
) -> None:
    chosen = {"cover_picture": number}
    (objection,) = Connector.objections({}, Draft(text="", options=chosen, pictures=3))
    assert "The cover on TikTok is the number of one of the pictures, from 1 to 3." in objection.said
    with pytest.raises(Refused, match="from 1 to 3"):
        await ours.prepare(saying(pictures=(picture(),) * 3, options=chosen), {})
    assert tiktok.state.publishing == {}
    assert Connector.objections({}, Draft(text="", options=chosen, videos=1)) == ()


@pytest.mark.parametrize(
    ("size", "parts"),
    [(1, 1), (PART - 1, 1), (2 * PART - 1, 1), (2 * PART, 2), (3 * PART + 123, 3), (100 * PART, 50), (4 * 10**9, 381)],
)
def test_parts_are_as_long_as_tiktok_wants_them(size: int, parts: int) -> None:
    each = part_size(size)
    assert parts_of(size) == parts == size // each
    assert size < PART or PART <= each <= 64 * 10**6
    assert each <= size - (parts - 1) * each < each + parts  # the visible one is hardly longer than the others


async def test_nothing_can_be_seen_before_the_last_part(tiktok: TikTok, ours: Connector, video: Make) -> None:
    what = saying(videos=(video(content=LONG),))
    progress = await prepared(ours, what)
    (one,) = tiktok.state.publishing.values()
    assert (one.received, progress["done"]) == (2 * part_size(len(LONG)), 2)
    assert (tiktok.texts(), tiktok.world.ledger.entries) == ([], [])
    await committed(ours, what, progress)
    assert sent(tiktok) == LONG
    assert tiktok.texts() == ["Good morning"]


async def test_the_publish_id_is_written_down_before_the_first_part(
    tiktok: TikTok, ours: Connector, video: Make
) -> None:
    begun = await ours.prepare(saying(videos=(video(content=LONG),)), {})
    assert isinstance(begun, Pending)
    (one,) = tiktok.state.publishing.values()
    assert (begun.progress["publish_id"], one.received) == (one.id, 0)


async def test_an_upload_goes_on_where_it_broke_off(tiktok: TikTok, ours: Connector, video: Make) -> None:
    what = saying(videos=(video(content=LONG),))
    begun = await ours.prepare(what, {})
    tiktok.faults.will_lose_answer(method="PUT")
    with pytest.raises(TryLater):
        await ours.prepare(what, begun.progress)
    tiktok.faults.will_answer(500, method="PUT")
    with pytest.raises(TryLater):
        await ours.prepare(what, begun.progress)
    await committed(ours, what, await prepared(ours, what, begun.progress))
    assert sent(tiktok) == LONG
    assert len(tiktok.state.publishing) == 1


async def test_an_upload_that_ran_out_is_begun_anew(tiktok: TikTok, ours: Connector, video: Make) -> None:
    what = saying(videos=(video(content=LONG),))
    begun = await ours.prepare(what, {})
    tiktok.world.clock.advance(timedelta(minutes=61))
    again = await ours.prepare(what, begun.progress)
    assert again == Pending(progress={"begun": 1})
    progress = await prepared(ours, what, again.progress)
    tiktok.world.clock.advance(timedelta(minutes=61))
    published = await committed(ours, what, progress)  # the hour caught it before its last part
    assert tiktok.texts() == ["Good morning"]
    assert len(tiktok.state.publishing) == 3
    assert published.remote_id == tiktok.posts()[0]


async def test_an_upload_that_runs_out_each_time_ends(tiktok: TikTok, ours: Connector, video: Make) -> None:
    with pytest.raises(Refused, match="however often"):
        await ours.prepare(saying(videos=(video(),)), {"begun": 3})


# What TikTok works on


async def test_processing_and_moderation_are_waited_for(tiktok: TikTok, ours: Connector, video: Make) -> None:
    tiktok.processing_seconds, tiktok.moderation_seconds = 20, 60
    what = saying(videos=(video(),))
    outcome = await ours.commit(what, await prepared(ours, what))
    assert isinstance(outcome, Pending)
    assert outcome.progress["sent"]
    assert outcome.not_before == NOW + timedelta(seconds=3)
    tiktok.world.clock.advance(timedelta(seconds=30))
    outcome = await ours.commit(what, outcome.progress)
    assert isinstance(outcome, Pending)  # it is out, and being moderated: its address is not told yet
    tiktok.world.clock.advance(timedelta(seconds=60))
    published = await ours.commit(what, outcome.progress)
    assert isinstance(published, Published)
    assert published.remote_id == tiktok.posts()[0]
    assert len(tiktok.world.ledger.entries) == 1


async def test_a_post_that_is_never_moderated_is_shown_as_taken_and_not_public(
    tiktok: TikTok, ours: Connector, video: Make
) -> None:
    tiktok.moderation_seconds = 10**6
    what = saying(videos=(video(),))
    progress = {**await prepared(ours, what), "looks": MOST_LOOKS}
    published = await ours.commit(what, progress)
    assert isinstance(published, Published)
    assert "not let the public see it yet" in published.limited
    assert (await ours.fetch(published.remote_id)).url == ""
    tiktok.world.clock.advance(timedelta(days=20))
    found = await ours.fetch(published.remote_id)
    assert found.url == f"{tiktok.base}/@regie/video/{tiktok.posts()[0]}"


async def test_work_that_never_ends_is_unclear_and_never_sent_again(
    tiktok: TikTok, ours: Connector, video: Make
) -> None:
    tiktok.processing_seconds = 10**6
    what = saying(videos=(video(),))
    progress = {**await prepared(ours, what), "looks": MOST_LOOKS}
    with pytest.raises(Unclear, match="for hours"):
        await ours.commit(what, progress)
    with pytest.raises(TryLater):
        await ours.what_became_of(what, {**progress, "sent": True})


@pytest.mark.parametrize(
    ("privacy", "said"), [(PRIVATE, "only the account itself"), (FRIENDS, "people who were chosen")]
)
async def test_what_the_public_does_not_see_says_so(
    tiktok: TikTok, ours: Connector, video: Make, privacy: str, said: str
) -> None:
    published = await publish(ours, saying(videos=(video(),), options={"privacy": privacy}))
    (one,) = tiktok.state.publishing
    assert (published.remote_id, published.url) == (one, "")
    assert said in published.limited
    assert (await ours.post_samples([Ref(remote_id=one)]))[one]["views"] is None


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("spam_risk_text", "spam"),
        ("spam_risk_user_banned_from_posting", "banned"),
        ("frame_rate_check_failed", "could not use the file"),
        ("auth_removed", "withdrew"),
        ("something_new", "something_new"),
    ],
)
async def test_a_failure_is_refused_with_its_reason(
    tiktok: TikTok, ours: Connector, video: Make, reason: str, said: str
) -> None:
    tiktok.fails_with = reason
    what = saying(videos=(video(),))
    with pytest.raises(Refused, match=said):
        await ours.commit(what, await prepared(ours, what))
    assert tiktok.texts() == []


async def test_a_failure_of_tiktoks_own_is_tried_again_and_then_ends(
    tiktok: TikTok, ours: Connector, video: Make, picture: Make
) -> None:
    for what in (saying(videos=(video(),)), saying(pictures=(picture(),))):
        tiktok.fails_with = "internal"
        again = await ours.commit(what, await prepared(ours, what))
        assert again == Pending(progress={"begun": 1})
        tiktok.fails_with = ""
        await committed(ours, what, again.progress)
    assert len(tiktok.texts()) == 2
    tiktok.fails_with, tiktok.per_minute = "internal", {"init": 99, "creator": 99, "status": 99}
    with pytest.raises(Refused, match="internal"):
        await publish(ours, saying(pictures=(picture(),)))


# After a lost answer


@pytest.mark.parametrize("processing", [0, 20])
async def test_after_a_lost_answer_the_publish_id_tells(
    tiktok: TikTok, ours: Connector, video: Make, processing: int
) -> None:
    tiktok.processing_seconds = processing
    what = saying(videos=(video(content=LONG),))
    progress = await prepared(ours, what)
    tiktok.faults.will_lose_answer(method="PUT")
    with pytest.raises(Unclear):
        await ours.commit(what, progress)
    became = await ours.what_became_of(what, progress)
    assert isinstance(became, Pending if processing else Published)
    tiktok.world.clock.advance(timedelta(seconds=processing))
    again = await committed(ours, what, became.progress if isinstance(became, Pending) else progress)
    assert again.remote_id == tiktok.posts()[0]
    assert tiktok.texts() == ["Good morning"]


async def test_a_last_part_that_never_arrived_goes_to_the_same_upload(
    tiktok: TikTok, ours: Connector, video: Make
) -> None:
    what = saying(videos=(video(content=LONG),))
    progress = await prepared(ours, what)
    tiktok.faults.will_drop(method="PUT")
    with pytest.raises(Unclear):
        await ours.commit(what, progress)
    assert await ours.what_became_of(what, progress) is None
    await committed(ours, what, progress)
    assert tiktok.texts() == ["Good morning"]
    assert len(tiktok.state.publishing) == 1


async def test_the_last_part_sent_twice_is_one_post(tiktok: TikTok, ours: Connector, video: Make) -> None:
    """As after a crash that forgot the first answer, and a question that came too early."""
    what = saying(videos=(video(content=LONG),))
    progress = await prepared(ours, what)
    first = await committed(ours, what, progress)
    for forgotten in (progress, {**progress, "done": 0}, {**progress, "done": 1}):
        again = await committed(ours, what, forgotten)
        assert again.remote_id == first.remote_id
    assert tiktok.texts() == ["Good morning"]


async def test_a_begun_upload_whose_answer_was_lost_is_never_seen(tiktok: TikTok, ours: Connector, video: Make) -> None:
    what = saying(videos=(video(),))
    tiktok.faults.will_lose_answer(path="video/init")
    with pytest.raises(TryLater):
        await ours.prepare(what, {})
    assert await ours.what_became_of(what, {}) is None
    await publish(ours, what)
    assert tiktok.texts() == ["Good morning"]
    assert len(tiktok.state.publishing) == 2


async def test_photos_whose_answer_was_lost_are_found_or_left_to_a_person(
    tiktok: TikTok, ours: Connector, picture: Make
) -> None:
    tiktok.moderation_seconds = 30
    what = saying("Lost and found " * 20, pictures=(picture(),))  # longer than what a listing tells
    progress = await prepared(ours, what)
    tiktok.faults.will_lose_answer(path="content/init")
    with pytest.raises(Unclear):
        await ours.commit(what, progress)
    with pytest.raises(Unclear, match="does not tell"):
        await ours.what_became_of(what, progress)
    tiktok.world.clock.advance(timedelta(seconds=30))
    became = await ours.what_became_of(what, progress)
    assert isinstance(became, Published)
    assert became.remote_id == tiktok.posts()[0]


async def test_a_publish_id_that_tiktok_forgot_is_unclear(tiktok: TikTok, ours: Connector, video: Make) -> None:
    what = saying(videos=(video(),))
    progress = await prepared(ours, what)
    tiktok.state.publishing.clear()
    with pytest.raises(Unclear, match="no longer tells"):
        await ours.what_became_of(what, progress)


async def test_a_question_that_fails_after_the_last_part_leaves_it_processing(
    tiktok: TikTok, ours: Connector, video: Make
) -> None:
    what = saying(videos=(video(),))
    progress = await prepared(ours, what)
    tiktok.faults.will_answer(500, path="status/fetch")
    outcome = await ours.commit(what, progress)
    assert isinstance(outcome, Pending)
    assert outcome.progress["sent"]
    await committed(ours, what, outcome.progress)
    assert tiktok.texts() == ["Good morning"]


# What is refused


async def test_what_does_not_exist_there_or_was_not_chosen_is_refused_before_anything_is_begun(
    tiktok: TikTok, ours: Connector, picture: Make, video: Make
) -> None:
    one, film = picture(), video()
    for what in (
        saying(),
        saying(pictures=(one,), poll=Poll(options=("yes", "no"))),
        saying(pictures=(one,), sensitive=True),
        saying(pictures=(one,), visibility="private"),
        saying(pictures=(one,), videos=(film,)),
        saying(videos=(film, film)),
        saying(pictures=(one,) * 36),
        saying("x" * 2201, videos=(film,)),
        saying("👋" * 1101, videos=(film,)),
        saying("x" * 4001, pictures=(one,)),
        saying(pictures=(picture("away", public_url=""),)),
        saying(videos=(film,), options={"privacy": ""}),
        saying(videos=(film,), options={"consent": False}),
        saying(videos=(film,), options={"privacy": "FOLLOWER_OF_CREATOR"}),
        saying(videos=(film,), options={"privacy": PRIVATE, "paid_partnership": True}),
        saying("hello", reply_to=Ref(remote_id="1")),
    ):
        with pytest.raises(Refused):
            await ours.prepare(what, {})
    assert tiktok.state.publishing == {}


async def test_what_the_owner_changed_meanwhile_is_seen_before_the_upload(
    tiktok: TikTok, ours: Connector, video: Make
) -> None:
    user = tiktok.known_as(None)
    user.longest_video = 10
    with pytest.raises(Refused, match="at most 10 seconds"):
        await ours.prepare(saying(videos=(video(),)), {})
    user.longest_video, user.private = 600, True
    with pytest.raises(Refused, match="visibility"):
        await ours.prepare(saying(videos=(video(),)), {})
    assert tiktok.state.publishing == {}


async def test_the_declaration_follows_the_account(tiktok: TikTok, ours: Connector) -> None:
    user = tiktok.known_as(None)
    user.private, user.switched_off, user.longest_video = True, ["comment"], 180
    can = Connector.can_on((await ours.whoami()).limits)
    options = {option.name: option for option in can.options}
    assert [choice.value for choice in options["privacy"].choices] == ["FOLLOWER_OF_CREATOR", FRIENDS, PRIVATE]
    assert all(options[f"allow_{name}"].closed for name in ("comments", "duet", "stitch"))
    assert can.video is not None
    assert can.video.longest == timedelta(minutes=3)
    every = {option.name: option for option in Connector.can.options}
    assert every["privacy"].required
    assert every["consent"].required
    assert not any(option.default for option in every.values())  # TikTok's guidelines: nothing is chosen beforehand


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"privacy": PRIVATE, "paid_partnership": True}, ["Branded content visibility cannot be set to private."]),
        ({"privacy": PRIVATE, "own_brand": True}, []),
        ({"privacy": PUBLIC, "paid_partnership": True}, []),
    ],
)
def test_branded_content_is_never_private(chosen: dict[str, str | bool], said: list[str]) -> None:
    assert clashing(Connector.can.options, chosen) == said


@pytest.mark.parametrize(
    ("chosen", "prompts", "consent"),
    [
        ({}, {}, "By posting, you agree to TikTok's {music}."),
        ({"own_brand": True}, {"own_brand": "Promotional content"}, "By posting, you agree to TikTok's {music}."),
        (
            {"paid_partnership": True},
            {"paid_partnership": "Paid partnership"},
            "By posting, you agree to TikTok's {branded} and {music}.",
        ),
        (
            {"own_brand": True, "paid_partnership": True},
            {"own_brand": "Paid partnership", "paid_partnership": "Paid partnership"},
            "By posting, you agree to TikTok's {branded} and {music}.",
        ),
    ],
)
def test_what_people_read_follows_what_they_disclose(
    chosen: dict[str, bool], prompts: dict[str, str], consent: str
) -> None:
    """TikTok's Content Sharing Guidelines, 3 and 4, in its words."""
    options = {option.name: worded(option, chosen) for option in Connector.can.options}
    for name in ("own_brand", "paid_partnership"):
        label = f"Your photo/video will be labeled as “{prompts.get(name)}”."
        assert (options[name].help == label) is (name in prompts)
    assert options["consent"].label == consent
    assert {link.name for link in options["consent"].links} == {"music", "branded"}
    assert options["consent"].last


def test_without_the_permission_nothing_can_be_published() -> None:
    draft = Draft(text="", videos=1)
    assert Connector.objections({}, draft) == ()
    assert len(Connector.objections({"scopes": ["video.list"]}, draft)) == 1


async def test_whoever_posts_is_told_with_what_they_may_do_now(tiktok: TikTok, ours: Connector) -> None:
    user = tiktok.known_as(None)
    user.switched_off, user.longest_video = ["duet"], 90
    told = await ours.poster()
    assert (told.name, told.handle, told.problem) == (user.name, f"@{user.username}", "")
    assert (told.limits["switched_off"], told.limits["longest_video"]) == (["duet_disabled"], 90)
    assert told.limits["privacy"] == [PUBLIC, FRIENDS, PRIVATE]


async def test_an_account_that_can_post_no_more_today_says_so_and_a_breakdown_says_nothing(
    tiktok: TikTok, ours: Connector
) -> None:
    tiktok.posts_a_day = 0
    told = await ours.poster()
    assert told.problem.format(**told.facts) == "TikTok takes no more posts of this account today."
    tiktok.posts_a_day = 15
    tiktok.known_as(None).banned = True
    told = await ours.poster()
    assert told.problem.format(**told.facts) == "TikTok has banned this account from posting."
    tiktok.faults.will_answer(503, path="creator_info")
    with pytest.raises(TryLater):
        await ours.poster()


def test_tiktok_counts_utf16_units() -> None:
    assert [length(text, Counting.UTF16) for text in ("abc", "é", "👋", "👩‍👩‍👧‍👦")] == [3, 1, 2, 11]


async def test_an_app_without_an_audit_publishes_for_private_accounts_only(
    tiktok: TikTok, ours: Connector, video: Make, picture: Make
) -> None:
    tiktok.make_app().audited = False
    with pytest.raises(Refused, match="audited"):
        await prepared(ours, saying(videos=(video(),)))
    tiktok.known_as(None).private = True
    limits = (await ours.whoami()).limits
    private = Connector(ours._wire.http, replace(ours._wire.login, limits=limits))
    published = await publish(private, saying(pictures=(picture(),), options={"privacy": PRIVATE}))
    assert published.limited
    assert [post.privacy for post in tiktok.state.posts.values()] == [PRIVATE]


async def test_addresses_that_the_app_does_not_own_are_not_fetched(
    tiktok: TikTok, ours: Connector, picture: Make
) -> None:
    tiktok.make_app().verified = ["https://media.example.org/"]
    with pytest.raises(Refused, match="verified"):
        await publish(ours, saying(pictures=(picture(),)))
    tiktok.make_app().verified = []
    with pytest.raises(Refused, match="could not fetch"):
        await publish(ours, saying(pictures=(picture(public_url="http://127.0.0.1:9/none.jpg"),)))
    with pytest.raises(Refused, match="picture_size_check_failed"):
        await publish(ours, saying(pictures=(picture("large", width=3000, height=1000),)))


async def test_a_full_day_is_waited_for(tiktok: TikTok, ours: Connector, picture: Make, video: Make) -> None:
    what = saying("One too many", pictures=(picture(),))
    progress = await prepared(ours, what)
    tiktok.posts_a_day = 0
    with pytest.raises(TryLater) as later:
        await ours.commit(what, progress)
    assert later.value.not_before == NOW + timedelta(hours=1)
    with pytest.raises(TryLater):
        await ours.prepare(saying(videos=(video(),)), {})
    assert (await ours.whoami()).limits["privacy"] == [PUBLIC, FRIENDS, PRIVATE]  # as last told


async def test_calls_per_minute(tiktok: TikTok, ours: Connector, video: Make) -> None:
    for _ in range(6):
        await ours.prepare(saying(videos=(video(),)), {})
    with pytest.raises(TryLater) as slowed:
        await ours.prepare(saying(videos=(video(),)), {})
    assert slowed.value.not_before == NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "access_token_invalid", SignInAgain),
        (401, "scope_not_authorized", SignInAgain),
        (400, "scope_permission_missed", SignInAgain),
        (429, "rate_limit_exceeded", TryLater),
        (403, "spam_risk_too_many_posts", TryLater),
        (403, "reached_active_user_cap", TryLater),
        (200, "spam_risk_too_many_posts", TryLater),
        (403, "spam_risk_user_banned_from_posting", Refused),
        (403, "url_ownership_unverified", Refused),
        (403, "privacy_level_option_mismatch", Refused),
        (400, "invalid_param", Refused),
        (200, "internal_error", Unclear),
        (500, "internal_error", Unclear),
        (403, "something_new", Refused),
    ],
)
async def test_each_error_is_named_after_what_to_do_next(
    tiktok: TikTok, ours: Connector, picture: Make, status: int, code: str, error: type[Exception]
) -> None:
    what = saying(pictures=(picture(),))
    progress = await prepared(ours, what)
    body = {"data": {}, "error": {"code": code, "message": "Because.", "log_id": "1"}}
    tiktok.faults.will_answer(status, body=body, path="content/init")
    with pytest.raises(error) as raised:
        await ours.commit(what, progress)
    assert type(raised.value) is error
    assert tiktok.texts() == []


# Afterwards


async def test_our_posts_are_listed_over_many_pages(tiktok: TikTok, ours: Connector) -> None:
    user = tiktok.known_as(None)
    for nth in range(50):
        tiktok.world.clock.set(NOW + timedelta(minutes=nth))
        tiktok.post_by(user, f"Post {nth}")
    listing = await ours.own_posts(since=NOW)
    assert [seen.text for seen in listing.seen] == [f"Post {nth}" for nth in reversed(range(50))]
    assert listing.reaches_back_to == NOW
    assert len((await ours.own_posts(since=NOW + timedelta(minutes=30))).seen) == 20


async def test_a_post_that_is_gone_is_gone(tiktok: TikTok, ours: Connector, video: Make) -> None:
    published = await publish(ours, saying(videos=(video(),)))
    assert (await ours.fetch(published.remote_id)).url == published.url
    tiktok.state.posts[published.remote_id].public_at = None
    with pytest.raises(Gone):
        await ours.fetch(published.remote_id)
    assert await ours.post_samples([Ref(remote_id=published.remote_id)]) == {}


async def test_numbers_of_posts_and_of_the_account(tiktok: TikTok, ours: Connector, video: Make) -> None:
    tiktok.moderation_seconds = 60
    what = saying(videos=(video(),))
    pending = await ours.commit(what, await prepared(ours, what))
    assert isinstance(pending, Pending)
    publish_id = pending.progress["publish_id"]
    (post,) = tiktok.posts()
    tiktok.world.clock.advance(timedelta(seconds=60))
    for name in ("ana", "bo"):
        tiktok.like(by=name, post_id=post)
        tiktok.follow(by=name, account="regie")
    tiktok.say(by="ana", text="Lovely", to=post)
    wanted = {"likes": 2, "replies": 1, "shares": 0, "views": 3}
    refs = [Ref(remote_id=post), Ref(remote_id=publish_id), Ref(remote_id="v_pub_file~v2-1.1")]
    assert await ours.post_samples(refs) == {post: wanted, publish_id: wanted}
    assert await ours.account_samples() == {"followers": 2, "following": 0, "posts": 1, "likes_total": 2}


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://www.tiktok.com/@regie/video/7400000000000000123", "7400000000000000123"),
        ("https://www.tiktok.com/@re.gie_1/photo/7400000000000000123?is_from_webapp=1", "7400000000000000123"),
        ("https://vm.tiktok.com/ZM123/", None),
        ("https://example.org/@regie/video/74", None),
    ],
)
def test_a_copied_address_tells_the_post(url: str, found: str | None) -> None:
    assert Connector.id_of(url) == found


def test_no_secret_shows(tiktok: TikTok) -> None:
    login = Login(server=tiktok.base, credentials=tiktok.ready_account()["credentials"])
    assert login.credentials["access_token"] not in repr(login)
