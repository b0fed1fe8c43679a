"""Whether a post can go out on an account, as the account's network counts and allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.media.models import File
from regie.people.models import Workspace
from regie.studio import checks
from regie.studio.checks import Level
from regie.studio.content import Content, MediaUse, Part, Poll
from regie.studio.models import Post, Variant

MakeAccount = Callable[..., Account]


def stops(content: Content, account: Account, files: checks.Files | None = None, by_hand: bool = False) -> list[str]:
    found = checks.look_at(content, account, files or {}, by_hand=by_hand)
    return [finding.said for finding in found if finding.level is Level.STOP]


def advice(content: Content, account: Account, files: checks.Files | None = None) -> list[str]:
    return [f.said for f in checks.look_at(content, account, files or {}) if f.level is Level.ADVICE]


def text(*parts: str, **options: object) -> Content:
    return Content.model_validate({"parts": [{"text": part} for part in parts], **options})


@pytest.fixture
def file(workspace: Workspace) -> File:
    return File.objects.create(
        workspace=workspace, name="coat.jpg", content_type="image/jpeg", size=90_000, width=800, height=600, sha256="a"
    )


FAMILY = "👨‍👩‍👧‍👦"  # one character that a person sees, seven code points


@pytest.mark.parametrize(
    ("network", "fits", "over"),
    [
        ("mastodon", "a" * 499 + FAMILY, "a" * 500 + FAMILY),
        ("bluesky", "a" * 299 + FAMILY, "a" * 300 + FAMILY),
        ("mastodon", "https://example.org/" + "x" * 900 + " " + "a" * 476, "https://example.org/x " + "a" * 477),
        ("telegram", "a" * 4096, "a" * 4097),
    ],
)
def test_a_text_is_counted_as_its_network_counts(make_account: MakeAccount, network: str, fits: str, over: str) -> None:
    account = make_account(network)
    assert stops(text(fits), account) == []
    assert stops(text(over), account) == ["The text is 1 character too long."]


def test_a_caption_has_its_own_limit(make_account: MakeAccount, file: File) -> None:
    content = Content(parts=[Part(text="a" * 1025, media=[MediaUse(file=file.pk)])])
    assert stops(content, make_account("telegram"), {file.pk: file}) == ["The text is 1 character too long."]
    assert checks.counters(content, capabilities_of(make_account("telegram")), {file.pk: file})[0].left == -1


def test_the_caption_of_a_video_may_have_another(make_account: MakeAccount, workspace: Workspace, file: File) -> None:
    film = File.objects.create(
        workspace=workspace, name="walk.mp4", content_type="video/mp4", size=90_000, width=720, height=1280,
        seconds=12, sha256="b", kind=File.Kind.VIDEO,
    )  # fmt: skip
    account, files = make_account("tiktok"), {file.pk: file, film.pk: film}
    chosen: dict[str, dict[str, bool | str | list[str]]] = {
        "tiktok": {"privacy": "PUBLIC_TO_EVERYONE", "consent": True}
    }

    def beside(one: File) -> Content:
        return Content(parts=[Part(text="👋" * 1101, media=[MediaUse(file=one.pk)])], options=chosen)

    assert stops(beside(file), account, files) == []
    assert stops(beside(film), account, files) == ["The text is 2 characters too long."]
    left = [checks.counters(beside(one), capabilities_of(account), files)[0].left for one in (file, film)]
    assert left == [4000 - 2202, 2200 - 2202]


def test_a_cover_beyond_the_pictures_stops_the_post(make_account: MakeAccount, file: File) -> None:
    def covered_by(number: str) -> list[str]:
        chosen = {"tiktok": {"privacy": "PUBLIC_TO_EVERYONE", "consent": True, "cover_picture": number}}
        part = {"text": "A walk", "media": [{"file": file.pk}]}
        content = Content.model_validate({"parts": [part], "options": chosen})
        return stops(content, make_account("tiktok"), {file.pk: file})

    assert covered_by("1") == []
    assert covered_by("2") == ["The cover on TikTok is the number of one of the pictures, from 1 to 1."]


def test_a_server_with_its_own_limits_is_believed(make_account: MakeAccount) -> None:
    assert stops(text("a" * 900), make_account("mastodon", limits={"characters": 1000})) == []


@pytest.mark.parametrize("state", ["paused", "broken", "removed"])
def test_an_account_that_cannot_publish_stops_it_but_not_by_hand(make_account: MakeAccount, state: str) -> None:
    account = make_account(state=state)
    assert len(stops(text("Hello"), account)) == 1
    assert stops(text("Hello"), account, by_hand=True) == []


def test_nothing_written_is_nothing_to_publish(make_account: MakeAccount) -> None:
    assert "nothing to publish" in stops(text("  \n"), make_account())[0]
    assert "nothing to publish" in stops(text(" "), make_account(), by_hand=True)[0]


def test_an_empty_part_of_a_thread_is_named(make_account: MakeAccount) -> None:
    assert stops(text("One", " ", "Three"), make_account()) == ["Part 2 is empty: fill it or take it out."]


def test_a_part_too_long_is_named(make_account: MakeAccount) -> None:
    assert stops(text("One", "b" * 502), make_account()) == ["Part 2 is 2 characters too long."]


def test_more_pictures_than_the_network_takes(make_account: MakeAccount, file: File) -> None:
    content = Content(parts=[Part(media=[MediaUse(file=file.pk, alt="A coat")] * 5)])
    assert stops(content, make_account(), {file.pk: file}) == ["Mastodon takes 4 pictures in a post; there are 5."]
    assert stops(content, make_account("telegram"), {file.pk: file}) == []


def test_a_missing_alternative_text_is_advice_where_the_network_has_them(make_account: MakeAccount, file: File) -> None:
    content = Content(parts=[Part(media=[MediaUse(file=file.pk)])])
    assert stops(content, make_account(), {file.pk: file}) == []
    assert advice(content, make_account(), {file.pk: file}) == [
        "“coat.jpg” has no alternative text: say what it shows."
    ]
    assert advice(content, make_account("telegram"), {file.pk: file}) == []


def test_a_picture_that_will_be_changed_says_so_and_one_too_thin_stops(make_account: MakeAccount, file: File) -> None:
    file.alt, file.size = "A coat", 3_000_000
    content = Content(parts=[Part(media=[MediaUse(file=file.pk)])])
    assert advice(content, make_account("bluesky"), {file.pk: file}) == [
        "“coat.jpg” will be made to fit what Bluesky takes."
    ]
    file.width, file.height = 3000, 100
    assert "crop it" in stops(content, make_account("telegram"), {file.pk: file})[0]


def test_a_picture_of_another_workspace_is_not_there(
    make_account: MakeAccount, charlie: object, workspace: Workspace, file: File
) -> None:
    file.workspace = charlie.workspace  # type: ignore[attr-defined]
    file.save()
    post = Post.objects.create(
        workspace=workspace, content=Content(parts=[Part(text="x", media=[MediaUse(file=file.pk)])]).as_json()
    )
    variant = Variant.objects.create(post=post, account=make_account())
    assert checks.why_not(variant) == ["A file is no longer there: take it out or choose another."]


POLL = Poll(options=["Red", "Blue"], minutes=1440)


@pytest.mark.parametrize(
    ("network", "changes", "said"),
    [
        ("bluesky", {}, "Bluesky has no polls"),
        ("mastodon", {"options": ["1", "2", "3", "4", "5"]}, "at most 4 answers; there are 5"),
        ("mastodon", {"options": ["Red", " "]}, "An answer of the poll is empty"),
        ("mastodon", {"options": ["Red", "Red "]}, "the same"),
        ("mastodon", {"options": ["Red", "b" * 51]}, "1 character too long"),
        ("mastodon", {"minutes": 1}, "at least 5 minutes"),
        ("mastodon", {"minutes": 60 * 24 * 40}, "at most 30 days"),
        ("telegram", {"question": "q" * 301}, "question is 1 character too long"),
    ],
)
def test_a_poll_follows_the_rules_of_its_network(
    make_account: MakeAccount, network: str, changes: dict[str, object], said: str
) -> None:
    content = Content(parts=[Part(text="Which colour?")], poll=POLL.model_copy(update=changes))
    assert any(said in stop for stop in stops(content, make_account(network)))


def test_a_poll_within_the_rules_goes_out(make_account: MakeAccount) -> None:
    content = Content(parts=[Part(text="Which colour?")], poll=POLL)
    assert stops(content, make_account("mastodon")) == stops(content, make_account("telegram")) == []


def test_a_poll_needs_a_question_and_no_pictures(make_account: MakeAccount, file: File) -> None:
    content = Content(parts=[Part(media=[MediaUse(file=file.pk, alt="x")])], poll=POLL)
    said = " ".join(stops(content, make_account(), {file.pk: file}))
    assert "no question" in said
    assert "cannot go together" in said


def test_what_a_network_lacks_is_never_dropped_in_silence(make_account: MakeAccount) -> None:
    warned = text("Hello", content_warning="Food")
    assert stops(warned, make_account()) == []
    assert "no content warnings" in stops(warned, make_account("telegram"))[0]
    assert "visibility" in stops(text("Hello", visibility="unlisted"), make_account("bluesky"))[0]


def test_what_has_no_meaning_there_is_left_out(make_account: MakeAccount) -> None:
    content = text("Bonjour", language="fr", visibility="public")
    assert stops(content, make_account("telegram")) == []
    sent = checks.as_sent(content, capabilities_of(make_account("telegram")))
    assert (sent.language, sent.visibility) == ("", "")
    kept = checks.as_sent(content, capabilities_of(make_account("mastodon")))
    assert (kept.language, kept.visibility) == ("fr", "public")


def test_limits_are_only_advice_when_a_person_publishes(make_account: MakeAccount) -> None:
    assert stops(text("a" * 501), make_account(), by_hand=True) == []
    assert any(
        "too long" in said
        for said in [f.said for f in checks.look_at(text("a" * 501), make_account(), {}, by_hand=True)]
    )


# Videos and formats


@pytest.fixture
def film(workspace: Workspace) -> File:
    return File.objects.create(
        workspace=workspace,
        kind="video",
        name="wave.mp4",
        content_type="video/mp4",
        size=9_000_000,
        width=1920,
        height=1080,
        seconds=40,
        video_codec="h264",
        audio_codec="aac",
        sha256="v",
        alt="A wave",
    )


def showing(*files: File, cut: bool = False, **options: object) -> Content:
    part = {"text": "Look", "media": [{"file": file.pk, "cut": cut} for file in files]}
    return Content.model_validate({"parts": [part], **options})


def by_number(*files: File) -> dict[int, File]:
    return {file.pk: file for file in files}


def test_a_video_goes_where_videos_go(make_account: MakeAccount, film: File) -> None:
    files = by_number(film)
    assert stops(showing(film), make_account("mastodon"), files) == []
    only_pictures = make_account("mastodon", limits={"mime_types": ["image/jpeg"]})
    assert stops(showing(film), only_pictures, files) == ["Mastodon takes no videos here."]


def test_one_video_and_no_picture_beside_it(make_account: MakeAccount, film: File, file: File) -> None:
    assert stops(showing(film, file), make_account(), by_number(film, file)) == [
        "On Mastodon pictures and a video cannot go together."
    ]
    other = File.objects.create(**{**vars_of(film), "sha256": "w"})
    assert stops(showing(film, other), make_account(), by_number(film, other)) == [
        "Mastodon takes 1 video in a post; there are 2."
    ]


def vars_of(file: File) -> dict[str, object]:
    return {name: getattr(file, name) for name in (field.attname for field in File._meta.fields) if name != "id"}


def test_a_video_out_of_reach_says_which_rule_it_breaks_and_what_would_do(
    make_account: MakeAccount, film: File
) -> None:
    account = make_account("mastodon", limits={"video_bytes": 500_000})
    (said,) = stops(showing(film), account, by_number(film))
    assert said == (
        "“wave.mp4” is too long for the size that Mastodon takes: 10 seconds at most would still look well."
    )


def test_a_video_that_will_be_changed_is_said(make_account: MakeAccount, film: File) -> None:
    film.video_codec = "hevc"
    assert "“wave.mp4” will be made to fit what Mastodon takes." in advice(
        showing(film), make_account(), by_number(film)
    )


def test_a_video_longer_than_the_network_takes_is_shortened_with_leave_only(
    make_account: MakeAccount, film: File
) -> None:
    film.seconds = 13 * 3600
    film.size = 90_000_000
    files, account = by_number(film), make_account()
    assert "Let it be cut" in stops(showing(film), account, files)[0]


@pytest.mark.parametrize("form", ["short", "story"])
def test_a_format_that_the_network_lacks_stops_it(make_account: MakeAccount, film: File, form: str) -> None:
    (said,) = stops(showing(film, format=form), make_account(), by_number(film))
    assert said.startswith("Mastodon has no ")
    assert said.endswith("choose an ordinary post for this account.")


def test_a_short_video_is_one_video_alone(make_account: MakeAccount, film: File, file: File) -> None:
    account, files = make_account("instagram"), by_number(film, file)
    film.width, film.height = 1080, 1920
    assert stops(showing(film, format="short"), account, files) == []
    assert "A short video is one video, and nothing else." in stops(showing(file, format="short"), account, files)
    thread = Content.model_validate(
        {"parts": [{"text": "a", "media": [{"file": film.pk}]}, {"text": "b"}], "format": "short"}
    )
    assert any("stands alone" in said for said in stops(thread, account, files))


def test_a_story_is_one_picture_or_one_video(make_account: MakeAccount, film: File, file: File) -> None:
    account, files = make_account("instagram"), by_number(film, file)
    assert stops(showing(file, format="story"), account, files) == []
    assert "A story is one picture or one video." in stops(showing(file, film, format="story"), account, files)
    assert "Instagram shows no text with a story." in advice(showing(file, format="story"), account, files)


def test_a_network_that_fetches_files_must_be_able_to_reach_us(
    make_account: MakeAccount, file: File, settings: Any
) -> None:
    account, files = make_account("instagram"), by_number(file)
    assert any("public https address" in said for said in advice(showing(file), account, files))
    settings.PUBLIC_URL = "https://regie.example.org"
    assert not any("public https address" in said for said in advice(showing(file), account, files))


@pytest.mark.parametrize("address", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"])
def test_what_a_network_would_fetch_from_this_very_machine_is_not_planned(
    address: str, make_account: MakeAccount, file: File, settings: Any
) -> None:
    settings.PUBLIC_URL = address
    account, files = make_account("instagram"), by_number(file)
    (said,) = stops(showing(file), account, files)
    assert f"{address} leads nowhere from there" in said
    assert stops(text("Good morning"), make_account("threads")) == []
    stand_in = make_account("instagram", server="http://127.0.0.1:9000")
    assert stops(showing(file), stand_in, files) == []
