"""Looking for a comment page by page: as far back as the attempt, no further, and honest where that is too far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from regie.networks.data import Outgoing, Published, Ref, Seen
from regie.networks.errors import TryLater, Unclear
from regie.networks.finding import MOST_PAGES, Page, comment_in_pages

AT = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
WHAT = Outgoing(key="k", text="Until six", planned_at=AT, reply_to=Ref(remote_id="post"))
OURS = Seen(remote_id="ours", url="", text="Until six", media=0, created_at=AT)


class Pages:
    """Comments as a network lists them; ``turned``: how many pages were asked for."""

    def __init__(self, *pages: Sequence[datetime], ours_on: int = -1) -> None:
        self.pages, self.ours_on, self.turned = pages, ours_on, 0

    async def turn(self, after: str) -> Page:
        nth, self.turned = int(after or 0), self.turned + 1
        return Page(
            ours=(OURS,) if nth == self.ours_on else (),
            moments=tuple(self.pages[nth]),
            after=str(nth + 1) if nth + 1 < len(self.pages) else "",
            now=AT + HOUR,
        )


async def look(pages: Pages, what: Outgoing = WHAT) -> Published | None:
    return await comment_in_pages(pages.turn, what, network="Somewhere", shows_within=MINUTE)


async def test_it_is_found_on_a_later_page() -> None:
    pages = Pages([AT + 3 * MINUTE, AT + 2 * MINUTE], [AT + MINUTE, AT], ours_on=1)
    found = await look(pages)
    assert found is not None
    assert found.remote_id == "ours"


async def test_what_was_said_before_the_attempt_is_not_read() -> None:
    pages = Pages([AT + MINUTE, AT], [AT - HOUR, AT - 2 * HOUR], [AT - 3 * HOUR, AT - 4 * HOUR])
    assert await look(pages) is None
    assert pages.turned == 2


@pytest.mark.parametrize("first", [[AT - 2 * HOUR, AT - HOUR], [AT - HOUR, AT - HOUR], []])
async def test_a_page_that_is_not_newest_first_ends_nothing(first: list[datetime]) -> None:
    pages = Pages(first, [AT], ours_on=1)
    assert await look(pages) is not None


async def test_more_than_we_look_through_is_no_absence() -> None:
    many = [[AT + HOUR, AT + MINUTE]] * (MOST_PAGES + 1)
    pages = Pages(*many)
    with pytest.raises(Unclear, match="more comments under this post than we can look through"):
        await look(pages)
    assert pages.turned == MOST_PAGES
    assert await look(Pages(*many, ours_on=3)) is not None


async def test_too_early_is_too_early_however_many_there_are() -> None:
    tried_again = Outgoing(key="k", text="Until six", planned_at=AT, reply_to=WHAT.reply_to, tried_until=AT + HOUR)
    with pytest.raises(TryLater):
        await look(Pages([AT + MINUTE, AT - HOUR]), tried_again)
