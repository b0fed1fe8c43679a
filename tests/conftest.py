"""The people, the clock, and the database of every test.

Alice owns the workspace, Bob is her colleague (an editor), Charlie is a stranger with a workspace of his own.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import itertools
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    import pytest_django
    from django.test import Client
    from pytest_django.live_server_helper import LiveServer
    from seaweed import Seaweed
    from xdist.scheduler import LoadGroupScheduling

    from regie.accounts.models import Account
    from regie.core.bucket import Bucket
    from regie.people.models import Member, Workspace
    from regie.publishing.models import Delivery
    from regie.studio.models import Post
    from regie_sandbox.faults import Faults
    from regie_sandbox.frame import Entry, Network

ROOT = Path(__file__).resolve().parent.parent
PATTERN = "tests_pattern"
# What takes longest, by its group or its file: begun first, so that at the end nobody waits for it alone
LONG = "real browser screens installation test_model.py bucket test_publishers.py test_fuzz.py".split()
_shared = None


def _test_environment() -> None:
    """Before Django reads its settings: data of our own, and the embedded server unless DATABASE_URL names one."""
    global _shared
    for name in [name for name in os.environ if name.startswith("REGIE_") and not name.startswith("REGIE_REAL")]:
        if name not in ("REGIE_SPECS", "REGIE_REQUIRE_REAL"):
            del os.environ[name]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    data = Path(tempfile.gettempdir()) / f"regie-tests-{os.getuid()}" / worker
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    (data / "static").mkdir(exist_ok=True)  # WhiteNoise warns when it is missing, and finds files in the apps instead
    os.environ |= {
        "REGIE_DATA": str(data),
        "REGIE_URL": "http://testserver",
        "REGIE_SECRET_KEY": "tests only",
        "REGIE_SEALING_KEY": "dGVzdHMgb25seSB0ZXN0cyBvbmx5IHRlc3RzIG9ubHk=",
    }
    if not os.environ.get("DATABASE_URL"):
        from regie.config import database
        from regie.core import embedded

        _shared = embedded.ensure(data.parent / "server")
        database.use(_shared.url)
        _forget_about_power_cuts(_shared.url)


def _forget_about_power_cuts(url: str) -> None:
    """The tests' own data need not outlive this machine; what survives a crash is tried on servers of its own.

    And a connection, of which each test opens a dozen, need not be dear: a long random password gains nothing from
    being hashed four thousand times.
    """
    import psycopg
    from psycopg import sql

    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("SET scram_iterations = 1")
        who, password = sql.Identifier(connection.info.user), connection.info.password
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(who, password))


def _set_up_django() -> None:
    """Here and not by pytest-django, which would read the settings before this file could say where the data is."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "regie.config.settings"
    django.setup()
    del os.environ["DJANGO_SETTINGS_MODULE"]  # xdist's workers would inherit it, and read the settings too early

    from django.conf import settings
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    settings.SETUP_CODE = ""  # as on loopback; tests/cli asks for it
    settings.DATABASES["default"]["OPTIONS"]["application_name"] = "regie tests"  # those of processes have another
    PBKDF2PasswordHasher.iterations = 1  # a password of the tests need not be dear to guess; else half a second each


_test_environment()
_set_up_django()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> None:
    """The tables are those of a pattern, in which the migrations ran once for all workers."""
    from django.conf import settings

    with django_db_blocker.unblock():
        settings.DATABASES["default"]["TEST"] |= {"TEMPLATE": _pattern(), "MIGRATE": False}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    """The threads behind async code keep their connections from test to test; they end before the database goes."""
    from django.db import connection

    yield
    with django_db_blocker.unblock(), connection._nodb_cursor() as server:
        name = connection.settings_dict["NAME"]
        connection.close()
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


def _pattern() -> str:
    """The database that those of the workers are copied from. Whoever comes first makes it; it stays for the next run,
    under a name that says with which migrations it was made."""
    from django.conf import settings
    from django.db import connection

    ours, begun = settings.DATABASES["default"], f"{PATTERN}_begun"
    name = f"{PATTERN}_{_fingerprint_of_migrations()}"
    with connection._nodb_cursor() as server:  # as Django makes the tests' databases
        server.execute("SELECT pg_advisory_lock(hashtext(%s))", [PATTERN])
        server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PATTERN])
        known = [found for (found,) in server.fetchall()]
        if name in known:
            return name
        for old in known:
            server.execute(f'DROP DATABASE IF EXISTS "{old}"')
        before = ours["NAME"], ours["TEST"]["NAME"]
        ours["TEST"]["NAME"] = begun
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        connection.close()
        ours["NAME"], ours["TEST"]["NAME"] = before
        server.execute(f'ALTER DATABASE "{begun}" RENAME TO "{name}"')
    return name


def _fingerprint_of_migrations() -> str:
    """Another one when any migration of any app changed."""
    from django.apps import apps

    digest = hashlib.sha256()
    for app in apps.get_app_configs():
        for path in sorted(Path(app.path, "migrations").glob("*.py")):
            digest.update(path.as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadGroupScheduling:
    """A group of tests is one worker's, and so is a file: its fixtures, and what it keeps in mind, are made once, and
    its tests run in the order in which they run alone."""
    from xdist.scheduler import LoadGroupScheduling

    class Files(LoadGroupScheduling):  # type: ignore[misc]  # xdist tells no types
        def _split_scope(self, nodeid: str) -> str:
            scope: str = super()._split_scope(nodeid)
            return nodeid.partition("::")[0] if scope == nodeid else scope

    return Files(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Among workers, what takes long begins first."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    group = item.get_closest_marker("xdist_group")
    name = group.args[0] if group is not None else item.path.name
    return LONG.index(name) if name in LONG else len(LONG)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """On CI a skipped test is a failure: its machine has all that the tests need."""
    if os.environ.get("CI") and (skipped := terminalreporter.stats.get("skipped")):
        terminalreporter.section("skipped, which is a failure here", red=True)
        for report in skipped:
            terminalreporter.line(f"{report.nodeid}: {report.longrepr[-1]}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and exitstatus == pytest.ExitCode.OK and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def _speak_english() -> Iterator[None]:
    """Django keeps the language of the last request for whoever comes next in the thread."""
    from django.utils import translation

    yield
    translation.deactivate()


@pytest.fixture(scope="session", autouse=True)
def _flush_quickly() -> Iterator[None]:
    """After a test that commits: DELETE where Django would TRUNCATE every table, which costs a second of syncing."""
    from django.db.backends.postgresql.operations import DatabaseOperations

    truncate = DatabaseOperations.sql_flush

    def sql_flush(self: Any, style: Any, tables: Sequence[str], **how: Any) -> list[str]:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            if cursor.fetchone() != (True,):
                return truncate(self, style, tables, **how)
        kept = ("django_content_type", "auth_permission")  # made once with the tables
        deletes = [f"DELETE FROM {self.quote_name(table)}" for table in tables if table not in kept]
        return ["SET LOCAL session_replication_role = replica", *deletes]  # no foreign keys, so no order

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        patch.setattr("django.core.management.commands.flush.emit_post_migrate_signal", lambda *_: None)
        yield


class Clock:
    """The one clock of the product, in our hands. Stands still at 2030-03-01 09:00 UTC until moved."""

    def __init__(self) -> None:
        self._moment = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)
        self.followers: list[Callable[[datetime], None]] = []  # clocks of the sandbox, which show the same

    @property
    def moment(self) -> datetime:
        return self._moment

    @moment.setter
    def moment(self, moment: datetime) -> None:
        self._moment = moment
        for follow in self.followers:
            follow(moment)

    def __call__(self) -> datetime:
        return self.moment

    def at(self, wall: str) -> datetime:
        """A moment of the clock's day: ``clock.at("09:15")``."""
        hour, minute = wall.split(":")
        return self.moment.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)

    def set(self, moment: str | datetime) -> None:
        self.moment = self.at(moment) if isinstance(moment, str) else moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


@pytest.fixture
def clock() -> Iterator[Clock]:
    from regie.core import clock as product_clock

    ours = Clock()
    product_clock.ask_instead(ours)
    yield ours
    product_clock.ask_instead(None)


@pytest.fixture
def workspace(db: None) -> Workspace:
    """Atelier Nord, a clothing brand in Paris."""
    from regie.people.models import Workspace

    return Workspace.objects.create(name="Atelier Nord", slug="atelier-nord", zone="Europe/Paris")


def _seat(name: str, workspace: Workspace, role: str) -> Member:
    from regie.people.models import Member, User

    user = User.objects.create_user(f"{name.lower()}@example.org", name=name, zone=workspace.zone)
    return Member.objects.create(workspace=workspace, user=user, role=role)


@pytest.fixture
def seat(workspace: Workspace) -> Callable[..., Member]:
    """Makes another person of the workspace: ``seat("Gaël", "guest")``."""

    def make(name: str, role: str, where: Workspace = workspace) -> Member:
        return _seat(name, where, role)

    return make


@pytest.fixture
def alice(workspace: Workspace) -> Member:
    """Owns the workspace."""
    return _seat("Alice", workspace, "owner")


@pytest.fixture
def bob(workspace: Workspace) -> Member:
    """Her colleague: an editor."""
    return _seat("Bob", workspace, "editor")


@pytest.fixture
def charlie(db: None) -> Member:
    """A stranger, who owns a workspace of his own."""
    from regie.people.models import Workspace

    own = Workspace.objects.create(name="Vélo Club", slug="velo-club", zone="Europe/Paris")
    return _seat("Charlie", own, "owner")


@pytest.fixture
def signed_in() -> Callable[[Member], Client]:
    """A browser without scripts, signed in: ``signed_in(alice).get("/w/atelier-nord/posts/")``."""
    from django.test import Client

    def sign_in(member: Member) -> Client:
        client = Client()
        client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in


@pytest.fixture
def until_all_is_answered() -> Callable[[LiveServer], None]:
    """What a browser asked has its answer before the tests' data go. It hung up: each request's thread ends with its
    answer, and one that comes now is taken after all those that came before."""

    def wait(server: LiveServer) -> None:
        connection = HTTPConnection(server.thread.host, server.thread.port, timeout=60)
        connection.request("GET", "/static/nothing")
        connection.getresponse().read()
        connection.close()
        deadline = time.monotonic() + 60
        for thread in threading.enumerate():
            if "process_request_thread" in thread.name:
                thread.join(max(0.0, deadline - time.monotonic()))
                assert not thread.is_alive(), "A request of the browser has no answer yet."

    return wait


class Sandbox:
    """One network's sandbox on a loopback port: it behaves, remembers, and has bad days on request."""

    def __init__(self, network: Network) -> None:
        self.network = network

    @property
    def itself(self) -> Any:
        """The network, with what only it has."""
        return self.network

    @property
    def base(self) -> str:
        return self.network.base

    @property
    def faults(self) -> Faults:
        """``will_answer``, ``will_lose_answer``, ``will_drop``, ``will_delay``, ``latency``, ``listing_lag``, ..."""
        return self.network.faults

    def will_answer(self, status: int, **how: Any) -> None:
        self.faults.will_answer(status, **how)

    def will_lose_answer(self, **how: Any) -> None:
        self.faults.will_lose_answer(**how)

    def will_drop(self, **how: Any) -> None:
        self.faults.will_drop(**how)

    def will_delay(self, seconds: float, **how: Any) -> None:
        self.faults.will_delay(seconds, **how)

    def texts(self, account: str | None = None) -> list[str]:
        """What an account (None: the ready one) visibly published, oldest first."""
        return self.network.texts(account)

    def accepted(self, kind: str | None = None) -> list[Entry]:
        """The ledger: what the network took, the witness for "exactly once"."""
        return self.network.world.ledger.of(self.network.slug, kind=kind)

    def say(self, **what: Any) -> str:
        return self.network.say(**what)

    def like(self, **what: Any) -> None:
        self.network.like(**what)

    def follow(self, **what: Any) -> None:
        self.network.follow(**what)


def _sandbox(slug: str, request: pytest.FixtureRequest, settings: Any) -> Iterator[Sandbox]:
    """A world with one network in it; with ``clock``, its clock shows the same."""
    from regie_sandbox.frame import World
    from regie_sandbox.registry import network
    from regie_sandbox.server import in_thread

    world = World(seed=7)
    if "clock" in request.fixturenames:
        clock: Clock = request.getfixturevalue("clock")
        world.clock.set(clock.moment)
        clock.followers.append(world.clock.set)
    network(slug, world)
    with in_thread(world) as running:
        settings.ALLOWED_HOSTS_OUT = [*settings.ALLOWED_HOSTS_OUT, running.base[slug]]
        yield Sandbox(world.networks[slug])


@pytest.fixture
def mastodon(request: pytest.FixtureRequest, settings: Any) -> Iterator[Sandbox]:
    yield from _sandbox("mastodon", request, settings)


@pytest.fixture
def bluesky(request: pytest.FixtureRequest, settings: Any) -> Iterator[Sandbox]:
    yield from _sandbox("bluesky", request, settings)


@pytest.fixture
def telegram(request: pytest.FixtureRequest, settings: Any) -> Iterator[Sandbox]:
    yield from _sandbox("telegram", request, settings)


@pytest.fixture
def instagram(request: pytest.FixtureRequest, settings: Any) -> Iterator[Sandbox]:
    yield from _sandbox("instagram", request, settings)


@pytest.fixture
def facebook(request: pytest.FixtureRequest, settings: Any) -> Iterator[Sandbox]:
    yield from _sandbox("facebook", request, settings)


@pytest.fixture
def reddit(request: pytest.FixtureRequest, settings: Any) -> Iterator[Sandbox]:
    yield from _sandbox("reddit", request, settings)


@pytest.fixture
def threads(request: pytest.FixtureRequest, settings: Any) -> Iterator[Sandbox]:
    yield from _sandbox("threads", request, settings)


@pytest.fixture
def pinterest(request: pytest.FixtureRequest, settings: Any) -> Iterator[Sandbox]:
    yield from _sandbox("pinterest", request, settings)


@pytest.fixture
def youtube(request: pytest.FixtureRequest, settings: Any) -> Iterator[Sandbox]:
    yield from _sandbox("youtube", request, settings)


@pytest.fixture
def google_business(request: pytest.FixtureRequest, settings: Any) -> Iterator[Sandbox]:
    yield from _sandbox("google_business", request, settings)


@pytest.fixture
def x(request: pytest.FixtureRequest, settings: Any) -> Iterator[Sandbox]:
    yield from _sandbox("x", request, settings)


@pytest.fixture
def linkedin(request: pytest.FixtureRequest, settings: Any) -> Iterator[Sandbox]:
    yield from _sandbox("linkedin", request, settings)


@pytest.fixture
def tiktok(request: pytest.FixtureRequest, settings: Any) -> Iterator[Sandbox]:
    yield from _sandbox("tiktok", request, settings)


@pytest.fixture
def vk(request: pytest.FixtureRequest, settings: Any) -> Iterator[Sandbox]:
    yield from _sandbox("vk", request, settings)


@pytest.fixture
def connect(alice: Member) -> Callable[..., Account]:
    """Connects an account of a sandbox to Alice's workspace: ``connect(mastodon, "shop")``."""
    from regie.accounts.services import connect
    from regie.accounts.talk import talk
    from regie.networks import registry
    from regie.networks.data import Login, SignedIn
    from regie.networks.protocols import KnowsItself

    def make(sandbox: Sandbox, name: str = "regie", by: Member = alice) -> Account:
        ready = sandbox.network.ready_account(name)
        login = Login(
            server=ready["server"],
            remote_id=ready["remote_id"],
            credentials=ready["credentials"],
            limits=ready.get("limits", {}),
        )
        speaker = registry.connector(sandbox.network.slug)
        profile = talk(lambda http: cast(KnowsItself, speaker(http, login)).whoami())
        signed_in = SignedIn(credentials=ready["credentials"], profiles=(profile,))
        return connect(network=sandbox.network.slug, profile=profile, signed_in=signed_in, by=by)

    return make


@pytest.fixture
def mastodon_account(mastodon: Sandbox, connect: Callable[..., Account]) -> Account:
    return connect(mastodon)


@pytest.fixture
def bluesky_account(bluesky: Sandbox, connect: Callable[..., Account]) -> Account:
    return connect(bluesky)


@pytest.fixture
def telegram_account(telegram: Sandbox, connect: Callable[..., Account]) -> Account:
    return connect(telegram)


@pytest.fixture
def instagram_account(instagram: Sandbox, connect: Callable[..., Account]) -> Account:
    return connect(instagram)


@pytest.fixture
def facebook_account(facebook: Sandbox, connect: Callable[..., Account]) -> Account:
    return connect(facebook)


@pytest.fixture
def pinterest_account(pinterest: Sandbox, connect: Callable[..., Account]) -> Account:
    return connect(pinterest)


@pytest.fixture
def youtube_account(youtube: Sandbox, connect: Callable[..., Account]) -> Account:
    return connect(youtube)


@pytest.fixture
def linkedin_account(linkedin: Sandbox, connect: Callable[..., Account]) -> Account:
    """A Page."""
    return connect(linkedin)


@pytest.fixture
def account(mastodon_account: Account) -> Account:
    """The account when it does not matter which."""
    return mastodon_account


@pytest.fixture
def write_post(bob: Member) -> Callable[..., Post]:
    """Makes a post by Bob with a variant on each account; more than one text is a thread.

    ``write_post("Good morning", on=[account])``
    """
    from regie.studio.content import Content, Part
    from regie.studio.models import Post, Variant

    def make(*texts: str, on: Sequence[Account], by: Member = bob, by_hand: bool = False, **options: Any) -> Post:
        content = Content(parts=[Part(text=text) for text in texts], **options)
        post = Post.objects.create(workspace=by.workspace, content=content.as_json(), author=by.user)
        Variant.objects.bulk_create(Variant(post=post, account=account, by_hand=by_hand) for account in on)
        return post

    return make


@pytest.fixture
def post(account: Account, write_post: Callable[..., Post]) -> Post:
    """ "Good morning", by Bob, for ``account``."""
    return write_post("Good morning", on=[account])


@pytest.fixture
def delivery(post: Post, bob: Member) -> Delivery:
    """``post``, due this very minute."""
    from regie.core import clock
    from regie.core.times import WallTime
    from regie.publishing import services

    return services.schedule(post=post, at=WallTime.at(clock.now(), "Europe/Paris"), by=bob)[0]


@pytest.fixture(scope="session")
def _engine(django_db_setup: None) -> Iterator[Callable[[], None]]:
    """A publisher for each call, on connections that stay open: those of a new one are four fifths of an idle round."""
    from regie.publishing.engine.database import Database
    from regie.publishing.engine.publisher import Publisher

    class KeptOpen(Database):
        is_open = False

        async def __aenter__(self) -> Database:
            if not self.is_open:
                await super().__aenter__()
                self.is_open = True
            return self

        async def __aexit__(self, *_exc: object) -> None:
            """Closed at the end of all tests."""

        async def close(self) -> None:
            if self.is_open:
                await super().__aexit__()

    database: list[KeptOpen] = []  # it must be made while the tests' database is in the settings, and in a loop

    async def drain() -> None:
        if not database:
            database.append(KeptOpen(3))
        publisher = Publisher(name="once", in_flight=50, connections=3)
        publisher.database = database[0]
        async with publisher.open():
            await publisher.drain()

    with asyncio.Runner() as runner:
        yield lambda: runner.run(drain())
        for one in database:
            runner.run(one.close())


@pytest.fixture
def publish_due(transactional_db: None, _engine: Callable[[], None]) -> Callable[[], None]:
    """Runs the engine until nothing more is due at the clock's moment."""
    return _engine


@pytest.fixture
def make_account(workspace: Workspace) -> Callable[..., Account]:
    """Connects an account that nobody will talk to: ``make_account("mastodon", "Atelier Nord")``."""
    from regie.accounts.models import Account

    numbers = itertools.count(1)

    def make(network: str = "mastodon", name: str = "Atelier Nord", **fields: Any) -> Account:
        number = next(numbers)
        given = {"workspace": workspace, "server": f"https://{network}.example", "remote_id": f"{network}-{number}"}
        return Account.objects.create(network=network, name=name, handle=f"@nord{number}", **{**given, **fields})

    return make


@pytest.fixture
def picture() -> Callable[..., BytesIO]:
    """The bytes of a picture: ``picture(width=800, kind="PNG")``. Its pixels are noise when ``noise`` is set."""
    from PIL import Image

    def make(width: int = 320, height: int = 240, kind: str = "JPEG", noise: bool = False, **save: Any) -> BytesIO:
        image = (
            Image.effect_noise((width, height), 90).convert("RGB")
            if noise
            else Image.new("RGB", (width, height), "teal")
        )
        made = BytesIO()
        image.save(made, kind, **save)
        made.seek(0)
        return made

    return make


@functools.cache
def _filmed(
    width: int,
    height: int,
    seconds: float,
    kind: str,
    codec: str,
    sound: str,
    turned: int,
    told: tuple[tuple[str, str], ...],
    noise: bool,
) -> bytes:
    """A video of that many seconds at 12 pictures a second: teal, with a red corner at the top left."""
    import av
    from PIL import Image

    made = BytesIO()
    with av.open(made, "w", format=kind) as container:
        container.metadata.update(dict(told))
        film: Any = container.add_stream(codec, rate=12, width=width, height=height, pix_fmt="yuv420p")
        if codec == "libx264":
            film.options = {"preset": "ultrafast", "crf": "10" if noise else "30"}
        if turned:
            film.set_display_rotation(turned)
        heard: Any = container.add_stream(sound, rate=48_000, layout="stereo") if sound else None
        for number in range(round(seconds * 12)):
            image = Image.new("RGB", (width, height), (0, 128, number % 2 * 8 + 128))
            if noise:
                image = Image.effect_noise((width, height), 90).convert("RGB")
            image.paste((255, 0, 0), (0, 0, width // 4, height // 4))
            frame: Any = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = number, Fraction(1, 12)
            container.mux(film.encode(frame))
        container.mux(film.encode(None))
        for at in range(0, round(seconds * 48_000), 960) if heard is not None else ():
            silence = av.AudioFrame(format="flt" if sound == "libopus" else "fltp", layout="stereo", samples=960)
            for plane in silence.planes:
                plane.update(bytes(plane.buffer_size))
            silence.sample_rate, silence.pts, silence.time_base = 48_000, at, Fraction(1, 48_000)
            container.mux(heard.encode(silence))
        if heard is not None:
            container.mux(heard.encode(None))
    return made.getvalue()


@pytest.fixture
def video() -> Callable[..., BytesIO]:
    """The bytes of a video: ``video(seconds=4, kind="mov", turned=90)``, ``video(codec="libvpx", kind="webm")``."""

    def make(
        width: int = 96,
        height: int = 64,
        seconds: float = 2,
        kind: str = "mp4",
        codec: str = "libx264",
        sound: str = "aac",
        turned: int = 0,
        noise: bool = False,
        **told: str,
    ) -> BytesIO:
        return BytesIO(_filmed(width, height, seconds, kind, codec, sound, turned, tuple(sorted(told.items())), noise))

    return make


SOUNDS = {
    "mp3": ("mp3", "libmp3lame"),
    "m4a": ("ipod", "aac"),
    "ogg": ("ogg", "libopus"),
    "wav": ("wav", "pcm_s16le"),
    "flac": ("flac", "flac"),
}


@functools.cache
def _sounded(kind: str, seconds: float, title: str) -> bytes:
    import av

    form, codec = SOUNDS[kind]
    made = BytesIO()
    with av.open(made, "w", format=form) as container:
        if title:
            container.metadata["title"] = title
        stream: Any = container.add_stream(codec, rate=48_000, layout="stereo")
        shape = av.AudioResampler(format=stream.codec_context.format.name, layout="stereo", rate=48_000)
        for at in range(0, int(seconds * 48_000), 960):
            frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
            wave = (bytes([(at + n) // 60 % 2 * 40, 8] * 2) for n in range(960))
            frame.planes[0].update(b"".join(wave))
            frame.sample_rate, frame.pts = 48_000, at
            for piece in shape.resample(frame):
                container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return made.getvalue()


@pytest.fixture
def sound() -> Callable[..., BytesIO]:
    """The bytes of a sound: ``sound(kind="m4a", seconds=4, title="Episode 1")``."""

    def make(kind: str = "mp3", seconds: float = 2, title: str = "") -> BytesIO:
        return BytesIO(_sounded(kind, seconds, title))

    return make


@pytest.fixture
def paper() -> Callable[..., BytesIO]:
    """The bytes of a PDF: ``paper(pages=3, title="Programme", password="x")``."""
    from pypdf import PdfWriter

    def make(pages: int = 3, title: str = "", password: str = "") -> BytesIO:
        written = PdfWriter()
        for _page in range(pages):
            written.add_blank_page(210, 297)
        if title:
            written.add_metadata({"/Title": title})
        if password:
            written.encrypt(password)
        made = BytesIO()
        written.write(made)
        made.seek(0)
        return made

    return make


@pytest.fixture(scope="session")
def seaweed() -> Iterator[Seaweed]:
    """A real server that speaks S3. Tests that use it are in one group: one worker starts it, once."""
    import seaweed as server
    from real_servers.processes import workdir

    with workdir() as home:
        started = server.start(home / "seaweed")
        try:
            yield started
        finally:
            started.child.stop()


@pytest.fixture
def bucket(seaweed: Seaweed, settings: Any, tmp_path: Path) -> Bucket:
    """The installation keeps its media in a bucket: below a prefix of this test's own, with copies of its own."""
    from uuid import uuid4

    from django.core.files.storage import storages

    options = seaweed.options(f"test-{uuid4().hex[:12]}", tmp_path / "copies")
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "regie.core.bucket.Bucket", "OPTIONS": options}}
    return cast("Bucket", storages["default"])
