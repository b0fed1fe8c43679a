"""Bad input and bad days that every connector meets, beside those of ``test_every_connector``: tokens, permissions,
uploads that break off, work that never ends, files that lie. Each ends in a named error with a sentence, and nothing is
sent twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from test_every_connector import Line, line, slug  # noqa: F401 - fixtures

from regie.networks.data import Outgoing, Published, Ready
from regie.networks.errors import NetworkError, Refused, SignInAgain, TokenExpired, TryLater, Unclear

TURNS = 60


def accepted(line: Line) -> list[tuple[str, int]]:  # noqa: F811
    return [(entry.text, entry.media) for entry in line.net.world.ledger.of(line.slug)]


async def patiently(line: Line, what: Outgoing, *, turns: int = TURNS) -> Published:  # noqa: F811
    """As the engine does it: what is under way, or failed on the way, is asked for again with what was achieved."""
    progress: Any = {}
    for _ in range(turns):
        try:
            ready = await line.connector.prepare(what, progress)
            progress = ready.progress
            if isinstance(ready, Ready):
                outcome = await line.connector.commit(what, progress)
                if isinstance(outcome, Published):
                    return outcome
                progress = outcome.progress
        except TryLater:
            pass
        line.net.world.clock.advance(timedelta(minutes=1))
    raise AssertionError("It never goes out.")


def film_or_picture(line: Line) -> dict[str, Any]:  # noqa: F811
    """The largest thing that it takes in an ordinary post."""
    if line.can.video is not None:
        return {"videos": line.videos(1)}
    return {"pictures": line.pictures(1)}


@pytest.mark.parametrize("after", [0, 1, 2, 3])
async def test_an_upload_that_breaks_off_goes_on_and_is_one_post(line: Line, after: int) -> None:  # noqa: F811
    what = line.outgoing("A walk", **film_or_picture(line))
    progress: Any = {}
    line.net.faults.will_answer(503, after=after)
    for _ in range(TURNS):
        try:
            ready = await line.connector.prepare(what, progress)
        except TryLater:
            continue
        progress = ready.progress
        if isinstance(ready, Ready):
            break
        line.net.world.clock.advance(timedelta(minutes=1))
    else:
        raise AssertionError("It is never ready.")
    line.net.faults.clear()
    assert accepted(line) == []
    assert (await patiently(line, what)).remote_id
    assert accepted(line) == [("A walk", 1)]


async def how_it_ends(line: Line, what: Outgoing, *, turns: int) -> Published | NetworkError:  # noqa: F811
    """A few seconds between one question and the next; the engine's own bound on lateness is another."""
    progress: Any = {}
    for _ in range(turns):
        try:
            outcome = await line.connector.prepare(what, progress)
            if isinstance(outcome, Ready):
                outcome = await line.connector.commit(what, outcome.progress)
        except NetworkError as exc:
            return exc
        if isinstance(outcome, Published):
            return outcome
        progress = outcome.progress
        line.net.world.clock.advance(timedelta(seconds=3))
    raise AssertionError("It waits for ever.")


async def test_work_that_never_ends_is_given_up_with_a_sentence(line: Line) -> None:  # noqa: F811
    if not hasattr(line.net, "processing_seconds"):
        return
    line.net.processing_seconds = 10.0**9
    end = await how_it_ends(line, line.outgoing("A walk", **film_or_picture(line)), turns=400)
    if isinstance(end, Published):
        return  # it shows at once, and is worked on afterwards
    assert not isinstance(end, TryLater)
    assert end.said
    assert accepted(line) == [] or isinstance(end, Unclear)


async def test_a_token_that_ran_out_asks_for_a_fresh_one_or_for_a_person(line: Line) -> None:  # noqa: F811
    if not line.net.expire_tokens():
        return
    with pytest.raises((TokenExpired, SignInAgain)):
        await line.connector.whoami()
    what = line.outgoing()
    with pytest.raises((TokenExpired, SignInAgain)):
        await line.connector.commit(what, await line.prepared(what))
    assert accepted(line) == []


async def test_a_token_that_the_network_does_not_know_asks_a_person(line: Line) -> None:  # noqa: F811
    """As after an app was taken back. One that can be renewed is renewed first, and that says the same."""
    strange = {name: value if name == "did" else f"x{value[:-4]}nope" for name, value in line.login.credentials.items()}
    if line.slug == "telegram":  # a token is told by its shape before it is used
        strange = {**line.login.credentials, "token": "123456789:AAEnobodyHasThisTokenAtAllNotEvenTheBot1"}
    stranger = type(line.connector)(line.http, replace(line.login, credentials=strange))
    with pytest.raises((SignInAgain, TokenExpired, Refused)):
        await stranger.whoami()
    what = line.outgoing()
    with pytest.raises((SignInAgain, TokenExpired, Refused)):
        await stranger.commit(what, await line.prepared(what))
    assert accepted(line) == []


@pytest.mark.parametrize("status", [400, 403])
async def test_a_refusal_is_said_with_its_reason_and_nothing_is_out(line: Line, status: int) -> None:  # noqa: F811
    """Content that is not taken, a missing permission, a suspended account."""
    what = line.outgoing()
    progress = await line.prepared(what)
    line.net.faults.will_answer(status, method=line.visible)
    with pytest.raises((Refused, SignInAgain)) as refused:
        await line.connector.commit(what, progress)
    assert refused.value.said
    assert refused.value.answer is not None
    assert refused.value.answer.status in (status, 200)  # some say it in a body of 200
    assert accepted(line) == []


LIES: dict[str, bytes] = {
    "words": b"This is no picture at all.\n" * 40,
    "a paper": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n",
    "cut short": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "nothing": b"",
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_picture_that_lies_about_its_type_ends_in_a_sentence_or_is_out_once(
    line: Line,  # noqa: F811
    tmp_path: Path,
    lie: str,
) -> None:
    """The library reads what a file is from its bytes; a connector that got one all the same hands it over as it is."""
    if line.can.images is None:
        return
    path = tmp_path / "photo.jpg"
    path.write_bytes(LIES[lie])
    photo = replace(line.pictures(1)[0], path=path, size=len(LIES[lie]))
    end = await how_it_ends(line, line.outgoing("The shop", pictures=(photo,)), turns=60)
    if isinstance(end, Published):
        assert [text for text, _ in accepted(line)] == ["The shop"]
    else:
        assert end.said
        assert isinstance(end, Refused)
        assert accepted(line) == []
