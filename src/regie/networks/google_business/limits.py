"""What Google Business Profile takes. Sources: NOTES.md."""

from __future__ import annotations

from datetime import datetime, timedelta

from regie.networks.capabilities import (
    Answering,
    Arrival,
    Capabilities,
    Choice,
    ImageLimit,
    MessageKind,
    Option,
    OptionKind,
    Quota,
    Search,
    Shows,
    SignIn,
    TextLimit,
)
from regie.networks.data import Draft, Options
from regie.networks.errors import Refused
from regie.networks.google_business.measuring import ACCOUNT_METRICS
from regie.networks.google_business.wire import NETWORK

MINUTE = timedelta(minutes=1)
UPDATE, EVENT, OFFER = "update", "event", "offer"
CALL = "call"
REPLY_BYTES = 4096

PICTURE = ImageLimit(most=1, largest_bytes=5 * 1024 * 1024, types=("image/jpeg", "image/png"))
OPTIONS = (
    Option(
        name="topic",
        kind=OptionKind.CHOICE,
        label="Kind of post",
        default=UPDATE,
        choices=(Choice("update", "What's new"), Choice("event", "An event"), Choice("offer", "An offer")),
    ),
    Option(
        name="title",
        kind=OptionKind.LINE,
        label="Title of the event or offer",
        longest=58,
        shows=Shows.TITLE,
    ),
    Option(
        name="starts", kind=OptionKind.MOMENT, label="It begins", help="By the clock of the place.", shows=Shows.LINE
    ),
    Option(name="ends", kind=OptionKind.MOMENT, label="It ends", shows=Shows.LINE),
    Option(
        name="button",
        kind=OptionKind.CHOICE,
        label="Button",
        help="It leads to the link, “Call now” to the telephone number of the profile. An offer has its own.",
        choices=(
            Choice("learn_more", "Learn more"),
            Choice("book", "Book"),
            Choice("order", "Order online"),
            Choice("shop", "Buy"),
            Choice("sign_up", "Sign up"),
            Choice("call", "Call now"),
        ),
        shows=Shows.MARK,
    ),
    Option(
        name="link",
        kind=OptionKind.LINK,
        label="Link",
        help="Where the button leads; of an offer, where it is redeemed. Addresses in the text cannot be clicked.",
        shows=Shows.LINK,
    ),
    Option(name="coupon", kind=OptionKind.LINE, label="Code of the offer", longest=58, shows=Shows.LINE),
    Option(name="terms", kind=OptionKind.LINE, label="Terms of the offer", longest=5000, shows=Shows.LINE),
)
QUOTAS = (
    Quota(name="requests", limit=300, per=MINUTE, cost=(("publish", 1), ("read", 2), ("delete", 1)), shared=True),
    Quota(name="edits", limit=10, per=MINUTE, cost=(("publish", 1), ("delete", 1))),
)
CAN = Capabilities(
    text=TextLimit(longest=1500),
    repeat=Search(visible_within=timedelta(minutes=5)),
    sign_in=(SignIn.OAUTH,),
    links=False,
    images=PICTURE,
    fetches_media=True,
    ahead=False,
    options=OPTIONS,
    comment=TextLimit(longest=REPLY_BYTES, longest_bytes=REPLY_BYTES),
    languages=True,
    edit=True,
    edits=("title", "link", "coupon", "terms"),
    delete=True,
    reads=frozenset({MessageKind.REVIEW}),
    answers=frozenset({Answering.REPLY, Answering.DELETE_OWN}),
    arrival=(Arrival.POLL,),
    account_metrics=ACCOUNT_METRICS,
    quotas=QUOTAS,
)


def objections(draft: Draft) -> tuple[Refused, ...]:
    """What the kind of post wants and what it does not have; the declaration cannot say it."""
    if draft.part > 0:
        return ()
    chosen = draft.options
    return (*_of_its_kind(chosen), *_of_its_button(chosen))


def topic_of(options: Options) -> str:
    return str(options.get("topic") or UPDATE)


def moment_of(options: Options, name: str) -> datetime | None:
    """The wall clock of the place; None for what is no moment."""
    try:
        return datetime.fromisoformat(str(options.get(name) or "")).replace(tzinfo=None)
    except ValueError:
        return None


def _of_its_kind(chosen: Options) -> list[Refused]:
    topic = topic_of(chosen)
    if topic == UPDATE:
        of_others = any(chosen.get(name) for name in ("title", "starts", "ends"))
        found = [Refused("A title and dates belong to an event or an offer: choose which it is.")] if of_others else []
    else:
        found = _of_its_dates(chosen)
    if topic != OFFER and (chosen.get("coupon") or chosen.get("terms")):
        found.append(Refused("A code and terms belong to an offer: choose that it is one."))
    return found


def _of_its_dates(chosen: Options) -> list[Refused]:
    found = []
    if not chosen.get("title"):
        found.append(Refused("An event or an offer on {network} needs a title.", network=NETWORK))
    starts, ends = moment_of(chosen, "starts"), moment_of(chosen, "ends")
    if starts is None or ends is None:
        found.append(
            Refused("An event or an offer on {network} needs a day and an hour to begin and to end.", network=NETWORK)
        )
    elif ends <= starts:
        found.append(Refused("It ends before it begins."))
    return found


def _of_its_button(chosen: Options) -> list[Refused]:
    button, link = chosen.get("button"), chosen.get("link")
    if topic_of(chosen) == OFFER and button:
        return [Refused("An offer on {network} has a button of its own: choose no other.", network=NETWORK)]
    if button == CALL and link:
        return [Refused("“Call now” leads to no link: take the link away, or choose another button.")]
    if button and button != CALL and not link:
        return [Refused("The button needs a link to lead to.")]
    return []
