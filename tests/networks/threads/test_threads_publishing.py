"""Texts, files, polls and threads on Threads: what comes out, what is refused, and what became of a lost answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from regie.networks.capabilities import Counting
from regie.networks.data import Draft, Pending, Picture, Poll, Published, Ref, Video
from regie.networks.errors import Gone, Refused, TryLater, Unclear
from regie.networks.text import length
from regie.networks.threads.connector import Threads as Connector
from regie_sandbox.threads.app import Threads

from .posting import NOW, prepared, publish, ref_to, saying

Pictures = Callable[[int], tuple[Picture, ...]]
Videos = Callable[[int], tuple[Video, ...]]


async def test_one_of_our_posts_is_quoted(threads: Threads, account: Connector) -> None:
    words = "The mill opens on Saturday, and everybody who once worked there is invited to come"
    first = await publish(account, saying(words))
    await publish(account, saying("Another", key="k2"))
    newest, quoted = await account.choices("quote", chosen={})
    assert (newest.label, quoted.value) == ("2030-03-01 · Another", first.remote_id)
    assert quoted.label == "2030-03-01 · The mill opens on Saturday, and everybody who once worked t…"
    published = await publish(account, saying("As we said", key="k3", options={"quote": quoted.value}))
    assert threads.state.media[published.remote_id].quote == first.remote_id
    assert (await account.post_samples([ref_to(first)]))[first.remote_id]["quotes"] == 1


async def test_a_quoted_post_that_is_gone_is_said(account: Connector) -> None:
    with pytest.raises(Refused):
        await account.prepare(saying(options={"quote": "17999999999999999"}), {})


async def test_a_text_with_its_options(account: Connector, threads: Threads) -> None:
    chosen = {"link": "https://example.org/linen", "topic": "#linen", "reply_settings": "followers_only"}
    published = await publish(account, saying(options=chosen))
    post = threads.state.media[published.remote_id]
    assert (post.text, post.link, post.topic, post.reply_control) == (
        "Good morning",
        "https://example.org/linen",
        "linen",
        "followers_only",
    )
    assert published.url == f"https://www.threads.com/@regie/post/{post.shortcode}"
    assert published.at == NOW


async def test_a_carousel_of_pictures_and_a_video_in_order(
    account: Connector, threads: Threads, pictures: Pictures, videos: Videos
) -> None:
    first, second = pictures(2)
    (film,) = videos(1)
    what = saying(
        "Three", pictures=(replace(first, place=0), replace(second, place=2)), videos=(replace(film, place=1),)
    )
    post = threads.state.media[(await publish(account, what)).remote_id]
    children = [threads.state.media[one] for one in post.children]
    assert (post.kind, [one.kind for one in children]) == ("CAROUSEL", ["IMAGE", "VIDEO", "IMAGE"])
    assert [one.alt for one in children] == ["Picture 0", "", "Picture 1"]
    assert threads.world.files.get(children[1].file) == film.path.read_bytes()


async def test_a_picture_can_be_covered(account: Connector, threads: Threads, pictures: Pictures) -> None:
    published = await publish(account, saying(pictures=pictures(1), sensitive=True))
    assert threads.state.media[published.remote_id].spoiler


async def test_a_video_is_waited_for(account: Connector, threads: Threads, videos: Videos) -> None:
    threads.processing_seconds = 8
    what = saying("Walk", videos=videos(1))
    pending = await account.prepare(what, {})
    assert isinstance(pending, Pending)
    assert pending.not_before == NOW + timedelta(seconds=3)
    threads.world.clock.set(NOW + timedelta(seconds=9))
    assert isinstance(await account.commit(what, pending.progress), Published)
    assert len(threads.state.containers) == 1


async def test_a_file_that_threads_cannot_use_is_refused(
    account: Connector, threads: Threads, videos: Videos, pictures: Pictures
) -> None:
    (film,) = videos(1)
    film.path.write_bytes(b"no film at all")
    with pytest.raises(Refused, match="FAILED_PROCESSING_VIDEO"):
        await account.prepare(saying(videos=(film,)), {})
    (picture,) = pictures(1)
    with pytest.raises(Refused, match="public address"):
        await account.prepare(saying(pictures=(replace(picture, public_url=""),)), {})
    assert threads.texts() == []


async def test_containers_that_are_there_are_not_made_again(
    account: Connector, threads: Threads, pictures: Pictures
) -> None:
    what = saying(pictures=pictures(3))
    progress = await prepared(account, what)
    assert len(threads.state.containers) == 4
    assert (await account.prepare(what, progress)).progress["container"] == progress["container"]
    assert len(threads.state.containers) == 4
    threads.world.clock.set(NOW + timedelta(hours=25))
    assert await account.prepare(what, progress) == Pending(progress={})  # they ran out: from the beginning


async def test_a_poll_is_open_for_a_day(account: Connector, threads: Threads) -> None:
    poll = Poll(options=("Tea", "Coffee", "Both"), lasts=timedelta(days=1))
    post = threads.state.media[(await publish(account, saying("Which?", poll=poll))).remote_id]
    assert post.poll == {"option_a": "Tea", "option_b": "Coffee", "option_c": "Both"}
    assert post.poll_ends_at == NOW + timedelta(days=1)
    with pytest.raises(Refused, match="one day"):
        await account.prepare(saying("Which?", poll=replace(poll, lasts=timedelta(hours=2))), {})
    with pytest.raises(Refused, match="no answer of it is right"):
        await account.prepare(saying("Which?", poll=replace(poll, correct=1)), {})


async def test_a_thread_hangs_below_its_first_post(account: Connector, threads: Threads) -> None:
    first = await publish(account, saying("one"))
    second = await publish(account, saying("two", reply_to=ref_to(first)))
    third = await publish(account, saying("three", reply_to=Ref(remote_id=second.remote_id, root_id=first.remote_id)))
    last = threads.state.media[third.remote_id]
    assert (last.parent, last.root) == (second.remote_id, first.remote_id)
    assert len(threads.state.users[threads.user("regie").id].replied_at) == 2


@pytest.mark.parametrize("answers", [False, True])
async def test_a_lost_answer_is_cleared_up_by_the_container(
    account: Connector, threads: Threads, answers: bool
) -> None:
    above = {"reply_to": ref_to(await publish(account, saying("Above")))} if answers else {}
    what = saying("Below", **above)
    progress = await prepared(account, what)
    threads.faults.will_lose_answer(path="threads_publish")
    with pytest.raises(Unclear):
        await account.commit(what, progress)
    found = await account.what_became_of(what, progress)
    assert isinstance(found, Published)
    assert threads.state.media[found.remote_id].text == "Below"
    again = await account.commit(what, progress)  # asked first, and never published again
    assert isinstance(again, Published)
    assert again.remote_id == found.remote_id
    assert threads.texts().count("Below") == 1


async def test_what_never_arrived_is_said_to_be_absent_after_a_while(account: Connector, threads: Threads) -> None:
    what = saying()
    progress = await prepared(account, what)
    threads.faults.will_drop(path="threads_publish")
    with pytest.raises(Unclear):
        await account.commit(what, progress)
    with pytest.raises(TryLater):
        await account.what_became_of(what, progress)
    threads.world.clock.set(NOW + timedelta(minutes=2))
    assert await account.what_became_of(what, progress) is None
    assert await account.what_became_of(what, {}) is None


async def test_what_is_out_and_not_listed_yet_is_looked_for_again(account: Connector, threads: Threads) -> None:
    what = saying()
    progress = await prepared(account, what)
    threads.faults.listing_lag = 10
    threads.faults.will_lose_answer(path="threads_publish")
    with pytest.raises(Unclear):
        await account.commit(what, progress)
    pending = await account.what_became_of(what, progress)
    assert isinstance(pending, Pending)
    threads.world.clock.set(NOW + timedelta(seconds=11))
    assert isinstance(await account.what_became_of(what, pending.progress), Published)


async def test_the_posts_of_a_day_are_counted(account: Connector, threads: Threads) -> None:
    threads.user("regie").posted_at = [NOW] * 249
    assert (await account.whoami()).limits["posts_today"] == 249
    await publish(account, saying())
    what = saying("One too many")
    progress = await prepared(account, what)
    with pytest.raises((TryLater, Refused)):
        await account.commit(what, progress)
    assert threads.texts() == ["Good morning"]


async def test_what_is_deleted_is_gone(account: Connector, threads: Threads) -> None:
    published = await publish(account, saying())
    await account.delete(ref_to(published))
    await account.delete(ref_to(published))
    assert threads.texts() == []
    with pytest.raises(Gone):
        await account.fetch(published.remote_id)


@pytest.mark.parametrize(
    ("text", "units"),
    [("abc", 3), ("é", 1), ("日本", 2), ("👍", 4), ("👩‍👩‍👧‍👦", 25), ("🇫🇷", 8), ("1️⃣", 7), ("a👍b", 6)],
)
def test_an_emoji_counts_its_bytes(text: str, units: int) -> None:
    assert length(text, Counting.EMOJI_BYTES) == units


def test_what_excludes_each_other_is_said_while_writing() -> None:
    link = {"link": "https://example.org/1"}
    for draft in (
        Draft(text="x", options=link, pictures=1),
        Draft(text="x", options=link, poll=True),
        Draft(text="x", videos=1, poll=True),
        Draft(text=" ".join(f"https://example.org/{n}" for n in range(6))),
    ):
        assert len(Connector.objections({}, draft)) == 1
    assert Connector.objections({}, Draft(text="https://example.org/1", options=link)) == ()
