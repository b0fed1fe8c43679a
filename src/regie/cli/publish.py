"""``regie publish``: one post from the command line, sent or planned, and its receipt."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from regie.cli.django import ready, tell
from regie.cli.errors import Stop

if TYPE_CHECKING:
    from regie.accounts.models import Account
    from regie.core.times import WallTime
    from regie.networks.options import Value
    from regie.people.models import Member
    from regie.publishing.models import Delivery
    from regie.studio.content import MediaUse

ALIVE = timedelta(seconds=15)  # a publisher reports every 5
LOOK = 0.25  # seconds between looks at the delivery
NOT_PUBLISHED = 3


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0: published, or planned for later; 3: anything else, with the sentence. Raises Stop."""
    with ready():
        return publish(arguments)


def publish(arguments: argparse.Namespace) -> int:
    """The same, where database and Django are there already."""
    if arguments.account == "?":
        return _list_accounts(as_json=arguments.json)
    account = find_account(arguments.account)
    delivery = _asked_for(arguments, account, _member(account, arguments.user))
    return _report(delivery, wait=arguments.wait, as_json=arguments.json)


def _list_accounts(*, as_json: bool) -> int:
    rows = [
        {
            "id": account.pk,
            "network": account.network,
            "handle": account.handle,
            "name": account.name,
            "workspace": account.workspace.name,
            "state": account.state,
        }
        for account in _accounts()
    ]
    if as_json:
        sys.stdout.write(json.dumps({"accounts": rows}, ensure_ascii=False) + "\n")
        return 0
    for row in rows:
        sys.stdout.write("{id:>6}  {network:<10} {handle:<32} {name}  ({workspace}, {state})\n".format(**row))
    if not rows:
        tell("No account is connected yet: connect one in the browser, under Accounts.")
    return 0


def _accounts() -> Sequence[Account]:
    from regie.accounts.models import Account

    there = Account.objects.exclude(state=Account.State.REMOVED)
    return list(there.select_related("workspace").order_by("workspace__name", "network", "name", "pk"))


def find_account(wanted: str) -> Account:
    """By number, handle (with or without its @) or name. Raises Stop when none fits, or more than one."""
    word = wanted.strip().casefold()
    for key in (
        lambda account: str(account.pk),
        lambda account: account.handle.casefold().lstrip("@"),
        lambda account: account.name.casefold(),
    ):
        found = [account for account in _accounts() if key(account) and key(account) == word.lstrip("@")]
        if len(found) == 1:
            return found[0]
        if found:
            numbers = ", ".join(f"{one.pk} ({one.network}, {one.workspace.name})" for one in found)
            raise Stop(f"“{wanted}” could be any of these accounts: {numbers}. Name it by its number.")
    raise Stop(f"There is no account “{wanted}”. `regie publish --account ?` lists them.")


def _member(account: Account, email: str | None) -> Member:
    from regie.people.models import Member
    from regie.people.permissions import Role

    seats = Member.objects.filter(workspace=account.workspace_id).select_related("user", "workspace").order_by("pk")
    found = seats.filter(user__email__iexact=email).first() if email else seats.filter(role=Role.OWNER).first()
    if found is None:
        raise Stop(f"{email or 'Nobody'} has a seat in {account.workspace} from which to publish.")
    return found


def _asked_for(arguments: argparse.Namespace, account: Account, member: Member) -> Delivery:
    """The post, written and promised, or neither."""
    from django.db import transaction

    from regie.core.errors import Problem
    from regie.people.errors import NotAllowed
    from regie.publishing import services as publishing
    from regie.studio import services as studio
    from regie.studio.content import Content, Part

    text = sys.stdin.read() if arguments.text == "-" else arguments.text
    at = _time(arguments.at, arguments.zone or account.workspace.zone)
    try:
        media = _media(arguments.media, arguments.alt, member)
        content = Content(
            parts=[Part(text=text, media=media)],
            options=_options(account, arguments.option),
            first_comment=arguments.first_comment,
        )
        written = studio.Written(content=content, on={account.pk: studio.Given()})
        with transaction.atomic():
            post = studio.save(post=None, workspace=account.workspace, written=written, version=0, by=member)
            if at is None:
                return publishing.publish_now(post=post, by=member)[0]
            return publishing.schedule(post=post, at=at, by=member)[0]
    except (Problem, NotAllowed) as exc:
        raise Stop(str(exc)) from exc


def _options(account: Account, given: Sequence[str]) -> dict[str, dict[str, Value]]:
    """By the account's number. What is not declared stays as it is, and is refused by name with the rest."""
    from regie.accounts.opening import capabilities_of
    from regie.networks.capabilities import OptionKind

    kinds = {option.name: option.kind for option in capabilities_of(account).options}
    found: dict[str, Value] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise Stop(f"“{one}” is no option: write it as NAME=VALUE.")
        match kinds.get(name):
            case OptionKind.TAGS:
                found[name] = [tag for part in value.split(",") if (tag := part.strip())]
            case OptionKind.SWITCH:
                found[name] = value.strip().casefold() in ("yes", "true", "on", "1")
            case _:
                found[name] = value
    return {str(account.pk): found} if found else {}


def _time(given: str | None, zone: str) -> WallTime | None:
    from regie.core.times import UnknownZone, WallTime

    if not given:
        return None
    try:
        return WallTime(datetime.fromisoformat(given), zone)
    except UnknownZone as exc:
        raise Stop(f"“{zone}” is no time zone we know: use a name such as Europe/Paris.") from exc
    except ValueError as exc:
        raise Stop(f"“{given}” is no wall-clock time: write it as 2030-03-01T09:15, and the zone with --zone.") from exc


def _media(paths: Sequence[Path], alts: Sequence[str], member: Member) -> list[MediaUse]:
    from regie.media.services import upload
    from regie.studio.content import MediaUse

    if len(alts) > len(paths):
        raise Stop("There are more --alt than --media: give one for each picture, in the same order.")
    uses = []
    for number, path in enumerate(paths):
        try:
            with path.open("rb") as source:
                file = upload(workspace=member.workspace, name=path.name, source=source, by=member)
        except OSError as exc:
            raise Stop(f"{path} cannot be read: {exc.strerror}.") from exc
        uses.append(MediaUse(file=file.pk, alt=alts[number] if number < len(alts) else None))
    return uses


def _report(delivery: Delivery, *, wait: float, as_json: bool) -> int:
    from regie.publishing.states import State

    later = _is_for_later(delivery, wait)
    if not later:
        asyncio.run(_wait(delivery.pk, wait))
        delivery.refresh_from_db()
    _print(delivery, as_json=as_json)
    if delivery.limited and delivery.state == State.PUBLISHED:
        tell(f"regie: {delivery.limited}")
    if delivery.state == State.PUBLISHED or (later and delivery.state == State.SCHEDULED):
        return 0
    tell(f"regie: {_why(delivery)}")
    return NOT_PUBLISHED


def _is_for_later(delivery: Delivery, wait: float) -> bool:
    from regie.core import clock

    return delivery.next_at > clock.now() + timedelta(seconds=wait)


def _is_settled(pk: int) -> bool:
    """Whether nothing more happens to it before a person, or another time, comes."""
    from regie.core import clock
    from regie.publishing.models import Delivery
    from regie.publishing.states import NEEDS_A_PERSON, State

    row = Delivery.objects.get(pk=pk)
    if row.state == State.UNCLEAR:  # first it is looked for on the network
        return row.look_at is None
    return row.state in (State.PUBLISHED, State.CANCELLED, State.HELD, *NEEDS_A_PERSON) or (
        row.state == State.SCHEDULED and row.tries > 0 and row.next_at > clock.now() + timedelta(minutes=5)
    )


def _a_publisher_is_alive() -> bool:
    from regie.core import clock
    from regie.publishing.models import Publisher

    return Publisher.who_send(since=clock.now() - ALIVE).exists()


async def _wait(pk: int, seconds: float) -> None:
    """Until it is settled, at most so long. Where no publisher runs, one runs here meanwhile."""
    from regie.core.threads import in_thread
    from regie.publishing.engine.publisher import run as publisher

    stop, ours = asyncio.Event(), None
    if not await in_thread(_a_publisher_is_alive):
        ours = asyncio.create_task(publisher(name="regie publish", stop=stop))
    try:
        async with asyncio.timeout(seconds):
            while not await in_thread(_is_settled, pk):
                if ours is not None and ours.done():
                    break
                await asyncio.sleep(LOOK)
    except TimeoutError:
        pass
    finally:
        stop.set()
        if ours is not None:
            await ours


def _print(delivery: Delivery, *, as_json: bool) -> None:
    from regie.api.deliveries import receipt_of

    receipt = receipt_of(delivery)
    if as_json:
        sys.stdout.write(json.dumps(receipt.model_dump(mode="json"), ensure_ascii=False) + "\n")
        return
    rows: list[tuple[str, object]] = [
        ("delivery", receipt.id),
        ("account", f"{delivery.account} ({delivery.account.network})"),
        ("state", str(receipt.state)),
        *((name, moment) for name in MOMENTS if (moment := getattr(receipt, f"{name}_at")) is not None),
    ]
    for name, seconds in (("late", receipt.late_seconds), ("latency", receipt.latency_seconds)):
        if seconds is not None:
            rows.append((name, f"{seconds:.3f} s"))
    if receipt.link or receipt.remote_id:
        rows.append(("link", receipt.link or receipt.remote_id))
    for name, value in rows:
        shown = value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else value
        sys.stdout.write(f"{name:<10} {shown}\n")


MOMENTS = ("due", "claimed", "sent", "accepted", "visible", "gone")


def _why(delivery: Delivery) -> str:
    from regie.core.sentences import in_words
    from regie.publishing.holds import WHY

    said = [in_words(delivery.problem, delivery.problem_facts), *(str(WHY.get(hold, hold)) for hold in delivery.holds)]
    sentence = " ".join(one for one in said if one)
    return sentence or f"There is no outcome yet ({delivery.state}); the receipt is kept in the product."
