"""Ninety days of two brands, played through the services, the engine and the readers that people use every day."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import time as wall
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.accounts.queries import to_refresh
from regie.accounts.services import connect, enter_app, logins_of, refresh_token
from regie.accounts.talk import talk
from regie.cli.demo.brands import BRANDS, Brand
from regie.cli.demo.pictures import draw
from regie.cli.demo.stage import Stage
from regie.community import reading
from regie.community.models import Message
from regie.community.services import mark_done
from regie.core import clock
from regie.core.times import WallTime
from regie.measure import services as measuring
from regie.media.models import File
from regie.media.services import describe, upload
from regie.networks import registry
from regie.networks.data import Login, Profile, SignedIn
from regie.people.models import Member, User
from regie.people.permissions import Role
from regie.people.services import create_workspace
from regie.publishing import services as publishing
from regie.publishing.engine.publisher import publish_due
from regie.studio.content import Content, MediaUse, Part, Poll
from regie.studio.models import Post
from regie.studio.services import Given, Written, save
from regie_sandbox.audience import Nature

DAYS = 90
EMAIL, PASSWORD = "demo@example.org", "demo"
EVENING = wall(20, 30)
READ_EVERY = 5  # days: messages are the same however often they are read
COUNT_EVERY = 5  # days, until the last month: it wants every evening
ALWAYS = 3  # networks
LAST_MONTH = timedelta(days=31)
WRITTEN_BEFORE = timedelta(hours=26)
THREAD_FR = (
    "D'où vient une chemise ? Petit fil en trois étapes.",
    "1. Le lin est semé en mars, récolté en juillet.",
    "2. Il rouit au champ, puis il est filé et tissé.",
    "3. Onze gestes plus tard, vous la boutonnez.",
)
THREAD_EN = (
    "How to start running, in three parts.",
    "1. Walk for five minutes.",
    "2. One minute easy, one minute walk.",
    "3. Stop while it still feels good. Come back in two days.",
)


@dataclass
class Shop:
    """A brand as it stands in the product."""

    brand: Brand
    owner: Member
    accounts: list[Account] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    options: dict[str, dict[str, Any]] = field(default_factory=dict)  # what a post must say on a network: a board


def play(stage: Stage) -> None:
    """From ninety days ago to this moment. Afterwards ``demo@example.org`` owns both brands."""
    end = datetime.now(tz=ZoneInfo("UTC")).replace(second=0, microsecond=0)
    begin = end - timedelta(days=DAYS)
    stage.world.clock.set(begin)
    me = _people()
    for network in registry.slugs():
        _enter_apps(network, me, stage)
    shops = [_open(brand, me, stage) for brand in BRANDS]
    for moment, shop, number in sorted(_moments(shops, begin, end), key=lambda event: event[0]):
        _day_by_day(stage, moment - WRITTEN_BEFORE)
        post = _write(shop, number)
        at = WallTime.at(moment, shop.brand.zone)
        publishing.schedule(post=post, at=at, by=shop.owner)
        _day_by_day(stage, moment)
        publish_due()
    _day_by_day(stage, end)
    for shop in shops:
        _answer_old(shop, end)
        _plan_ahead(shop, end)
        _have_a_bad_day(shop, stage)
    _listen_and_count()


def _people() -> User:
    """The person of the demo. The password is short because everybody knows it anyway."""
    return User.objects.create_user(EMAIL, PASSWORD, name="Demo", language="en", zone="Europe/Paris", is_operator=True)


def _enter_apps(network: str, me: User, stage: Stage) -> None:
    """The keys of the sandbox's own apps, as an operator enters those of a vendor: tokens are renewed with them, and
    whoever tries the demo can connect more accounts."""
    logins = logins_of(network)
    ready = stage.account(network, BRANDS[0].name) if logins else {}
    for word, server in logins.items():
        keys = {**ready, **ready.get(word, {})}
        enter_app(
            network=network, server=server, client_id=keys["client_id"], client_secret=keys["client_secret"], by=me
        )


def _open(brand: Brand, me: User, stage: Stage) -> Shop:
    owner = create_workspace(name=brand.name, zone=brand.zone, language=brand.language, by=me)
    owner.workspace.slug = brand.slug
    owner.workspace.save(update_fields=["slug"])
    for email, name, role in (
        (f"editor@{brand.handle}.example", "Inès Morel" if brand.language == "fr" else "Tom Avery", Role.EDITOR),
        (f"community@{brand.handle}.example", "Yanis Petit" if brand.language == "fr" else "Ruth Lane", Role.COMMUNITY),
    ):
        user = User.objects.create_user(email, None, name=name, language=brand.language, zone=brand.zone)
        Member.objects.create(workspace=owner.workspace, user=user, role=role)
    shop = Shop(brand, owner)
    for network in brand.networks or registry.slugs():
        shop.accounts.append(_account(shop, network, stage))
    for picture in brand.pictures:
        file = upload(workspace=owner.workspace, name=picture.name, source=draw(picture), by=owner)
        shop.files.append(describe(file=file, alt=picture.alt, name=picture.name, focus=(0, 0), by=owner))
    return shop


def _account(shop: Shop, network: str, stage: Stage) -> Account:
    brand = shop.brand
    ready = stage.account(network, brand.name)
    if options := ready.get("options"):
        shop.options[network] = options
    nature = Nature(topics=brand.topics, languages=brand.languages)
    stage.call(stage.audience.watch, network, account=brand.name, nature=nature)
    login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"])

    async def ask(http: aiohttp.ClientSession) -> Profile:
        return await registry.connector(network)(http, login).whoami()  # type: ignore[attr-defined,no-any-return]

    profile = talk(ask)
    expires_at = datetime.fromisoformat(ready["expires_at"]) if "expires_at" in ready else None
    signed_in = SignedIn(credentials=ready["credentials"], expires_at=expires_at)
    return connect(network=network, profile=profile, signed_in=signed_in, by=shop.owner)


def _moments(shops: list[Shop], begin: datetime, end: datetime) -> Iterator[tuple[datetime, Shop, int]]:
    """When each brand's posts go out: spread over the whole time, at its usual hours."""
    for later, shop in enumerate(shops):
        count = len(shop.brand.texts)
        pause = (end - begin - timedelta(days=3.5)) / count
        zone = ZoneInfo(shop.brand.zone)
        for number in range(count):
            day = (begin + timedelta(days=1.5 + 1.6 * later) + pause * number).astimezone(zone).date()
            hour = shop.brand.hours[number % len(shop.brand.hours)]
            yield datetime.combine(day, wall(hour, 15 * (number % 4)), zone).astimezone(ZoneInfo("UTC")), shop, number


def _write(shop: Shop, number: int) -> Post:
    """To its first networks always, to each of the others every other time: as teams do."""
    content = Content(parts=[Part(text=shop.brand.texts[number])], language=shop.brand.language)
    accounts = [one for place, one in enumerate(shop.accounts) if place < ALWAYS or (place + number) % 2 == 0]
    if number % 2 == 0:
        content.parts[0].media = [MediaUse(file=shop.files[number // 2 % len(shop.files)].pk)]
    return _save(shop, content, accounts)


def _save(shop: Shop, content: Content, accounts: list[Account], *, title: str = "", by_hand: bool = False) -> Post:
    """On those of the accounts that take such a post: some take none without a picture, some none but videos."""
    has_pictures = bool(content.file_ids)
    can = {account.pk: capabilities_of(account) for account in accounts}
    accounts = [one for one in accounts if not can[one.pk].media_required or (has_pictures and can[one.pk].images)]
    on = {account.pk: Given(by_hand=by_hand, assignee=shop.owner.user_id if by_hand else None) for account in accounts}
    there = {account.network for account in accounts}
    content.options = {network: chosen for network, chosen in shop.options.items() if network in there}
    written = Written(content=content, on=on, title=title)
    return save(post=None, workspace=shop.owner.workspace, written=written, version=0, by=shop.owner)


def _day_by_day(stage: Stage, until: datetime) -> None:
    """Lets time pass, reading and counting each evening on the way. Never goes back."""
    while (now := clock.now()) < until:
        evening = datetime.combine(now.date(), EVENING, now.tzinfo)
        if evening <= now:
            evening += timedelta(days=1)
        stage.go_to(min(evening, until))
        if evening <= until:
            _spend_evening(evening)


def _spend_evening(evening: datetime) -> None:
    day = evening.toordinal()
    read, long_ago = day % READ_EVERY == 0, datetime.now(evening.tzinfo) - evening > LAST_MONTH
    if read or not long_ago or day % COUNT_EVERY == 0:
        _listen_and_count(read=read)


def _listen_and_count(*, read: bool = True) -> None:
    """What the worker does all day: keep accounts connected, read what people said, and ask for the numbers."""

    async def all_of_it() -> None:
        for account in tired:
            await refresh_token(account)
        for inbox in inboxes:
            await reading.read(inbox)
        for account in accounts:
            await measuring.collect(account)

    tired = to_refresh()
    inboxes = reading.due_inboxes() if read else []
    measuring.plan_what_is_new()
    accounts = measuring.due_accounts()
    asyncio.run(all_of_it())


def _answer_old(shop: Shop, now: datetime) -> None:
    """The team has been at work: what is older than three days is done."""
    old = Message.objects.filter(
        workspace=shop.owner.workspace, said_at__lt=now - timedelta(days=3), state=Message.State.OPEN
    )
    mark_done(messages=list(old), by=shop.owner)


def _have_a_bad_day(shop: Shop, stage: Stage) -> None:
    """What needs a person: one post that the network refused, and one whose answer was lost on the way."""
    french = shop.brand.language == "fr"
    accounts = {account.network: account for account in shop.accounts}
    stage.call(stage.world.networks["mastodon"].faults.will_answer, 422, path="/api/v1/statuses", method="POST")
    stage.call(stage.world.networks["telegram"].faults.will_lose_answer, path="sendMessage")
    text = (
        "Une minute d'atelier, sans musique : juste les ciseaux." if french else "Doors open ten minutes early today."
    )
    content = Content(parts=[Part(text=text)], language=shop.brand.language)
    post = _save(shop, content, [accounts["mastodon"], accounts["telegram"]])
    publishing.publish_now(post=post, by=shop.owner)
    publish_due()


def _plan_ahead(shop: Shop, now: datetime) -> None:
    """What still waits: two weeks of posts, a thread, a poll, one by hand, and a draft."""
    zone = ZoneInfo(shop.brand.zone)
    french = shop.brand.language == "fr"
    for number, text in enumerate(shop.brand.later):
        content = Content(parts=[Part(text=text)], language=shop.brand.language)
        if number % 2 == 0:
            content.parts[0].media = [MediaUse(file=shop.files[number % len(shop.files)].pk)]
        day = now.astimezone(zone).date() + timedelta(days=1 + 2 * number)
        hour = shop.brand.hours[number % len(shop.brand.hours)]
        at = WallTime(datetime.combine(day, wall(hour, 30)), shop.brand.zone)
        publishing.schedule(post=_save(shop, content, shop.accounts), at=at, by=shop.owner)
    _thread_and_poll(shop, now, french=french)
    draft = (
        "Idée : filmer l'ourlet à la main, vu de près."
        if french
        else "Idea: ask members for their odd warm-up rituals."
    )
    _save(shop, Content(parts=[Part(text=draft)], language=shop.brand.language), [], title="Idée" if french else "Idea")


def _thread_and_poll(shop: Shop, now: datetime, *, french: bool) -> None:
    chained = [account for account in shop.accounts if registry.connector(account.network).can.thread > 1]
    asked = [account for account in shop.accounts if registry.connector(account.network).can.poll is not None]
    parts = THREAD_FR if french else THREAD_EN
    thread = Content(parts=[Part(text=text) for text in parts], language=shop.brand.language)
    question = "Quelle couleur pour l'été ?" if french else "When do you train?"
    options = ["Safran", "Menthe", "Prune"] if french else ["Morning", "Lunch", "Evening"]
    poll = Content(parts=[Part(text=question)], poll=Poll(options=options, minutes=1440), language=shop.brand.language)
    for days, content, accounts in ((4, thread, chained), (6, poll, asked)):
        at = WallTime.at(now + timedelta(days=days), shop.brand.zone)
        publishing.schedule(post=_save(shop, content, accounts), at=at, by=shop.owner)
    by_hand = "En story : les robes, en bougeant." if french else "Post the class photo in the members' group."
    publishing.schedule(
        post=_save(shop, Content(parts=[Part(text=by_hand)]), shop.accounts[:1], by_hand=True),
        at=WallTime.at(now + timedelta(hours=2), shop.brand.zone),
        by=shop.owner,
    )
