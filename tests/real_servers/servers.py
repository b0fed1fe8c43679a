"""The real networks: how each is started on free loopback ports, and what a test may ask of it.

Each function is a context manager; what it yields is valid inside. ``conftest.py`` makes fixtures of them.
"""

import contextlib
import html
import http.client
import json
import re
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from .install import HERE, folder
from .processes import (
    LOOPBACK,
    Child,
    ServerFailed,
    answers,
    free_port,
    give_to_nobody,
    reachable_by_nobody,
    running,
    tied_to_us,
    workdir,
)
from .proxy import FaultyProxy

T = TypeVar("T")

AFTER_SIGN_IN = "http://localhost/signed-in"  # nothing listens there: we read the code from the redirect
MASTODON_SCOPES = "read write follow"


def eventually(ask: Callable[[], T], *, seconds: float = 10) -> T:
    """The first true answer, for what a network does a moment later, such as counting a like."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"still {answer!r} after {seconds} s")
        time.sleep(0.05)
    return answer


# -- Bluesky


@dataclass(frozen=True)
class BlueskyAccount:
    handle: str
    did: str
    email: str
    password: str = field(repr=False)


@dataclass
class BlueskyNetwork:
    """PLC, PDS and AppView. The PDS is known everywhere by the address of ``proxy``, which stands before it."""

    pds_url: str  # http://localhost:PORT, as DID documents, OAuth metadata and tokens say
    appview_url: str
    plc_url: str
    proxy: FaultyProxy
    node: Child

    def create_account(self, handle: str, *, password: str = "correct horse battery staple") -> BlueskyAccount:
        """Open an account; ``handle`` is letters, digits and hyphens, 3 to 18 of them, and then .test.

        Returns when the AppView knows of it, without which the PDS answers 400 to app.bsky reads.
        """
        email = f"{handle.removesuffix('.test')}@example.com"
        account = {"handle": handle, "email": email, "password": password}
        made = post_json(f"{self.pds_url}/xrpc/com.atproto.server.createAccount", account)
        eventually(lambda: self._is_known(made["did"]))
        return BlueskyAccount(handle=made["handle"], did=made["did"], email=email, password=password)

    def _is_known(self, did: str) -> bool:
        try:
            get_text(f"{self.appview_url}/xrpc/app.bsky.actor.getProfile?actor={did}")
        except urllib.error.HTTPError as error:
            error.close()
            return False
        return True

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """The PDS refuses connections inside the block."""
        with self.proxy.refusing():
            yield

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Nothing answers inside the block, neither PDS nor AppView, though connections are accepted."""
        self.node.pause()
        try:
            yield
        finally:
            self.node.resume()


@contextlib.contextmanager
def run_bluesky() -> Iterator[BlueskyNetwork]:
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(workdir())
        debian = reachable_by_nobody(folder() / "debian", home)
        database = stack.enter_context(run_postgres(home, debian))
        redis = stack.enter_context(run_redis(home, debian))
        pds_listens_on, appview = free_port(), free_port()
        proxy = stack.enter_context(FaultyProxy(pds_listens_on))
        (home / "tmp").mkdir()
        node = Child.start(
            "bluesky",
            ["node", str(link_script(home))],
            home=home,
            env={
                "NODE_PATH": str(folder() / "bluesky/node_modules"),
                "NODE_ENV": "development",
                "TMPDIR": str(home / "tmp"),
                "DB_POSTGRES_URL": database,
                "REDIS_HOST": f"{LOOPBACK}:{redis}",
                "PDS_PORT": str(proxy.port),
                "PDS_LISTENS_ON": str(pds_listens_on),
                "APPVIEW_PORT": str(appview),
            },
        )
        stack.enter_context(running(node))
        node.wait_until(lambda: "\nREADY " in "\n" + node.said(), seconds=90)
        at = json.loads(node.said().partition("READY ")[2].splitlines()[0])
        proxy.clear()  # what it saw of the network's own start is nobody's business
        yield BlueskyNetwork(at["pds"], at["appview"], at["plc"], proxy, node)


def link_script(home: Path) -> Path:
    """The start script, where node can run it beside the files it writes."""
    script = home / "network.cjs"
    script.symlink_to(HERE / "bluesky/network.cjs")
    return script


@contextlib.contextmanager
def run_postgres(home: Path, debian: Path) -> Iterator[str]:
    """A database for the AppView; yields its URL. Not our product's: this one needs pg_trgm, which Debian's has."""
    programs, data, port = debian / "usr/lib/postgresql/15/bin", give_to_nobody(home / "pg"), free_port()
    initdb = [f"{programs}/initdb", "-D", f"{data}/d", "-A", "trust", "-U", "postgres", "-E", "UTF8", "-N"]
    run_once(tied_to_us([*initdb, "--locale=C.UTF-8"], as_nobody=True), home=home, env=libraries(debian))
    settings = {"listen_addresses": LOOPBACK, "unix_socket_directories": str(data), "fsync": "off", "jit": "off"}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    server = Child.start(
        "postgres",
        [f"{programs}/postgres", "-D", f"{data}/d", "-p", str(port), *options],
        home=home,
        env=libraries(debian),
        as_nobody=True,
        stop_signal=signal.SIGINT,  # "fast shutdown": does not wait for clients
        on_our_death="INT",
    )
    with running(server):
        server.wait_until(lambda: "ready to accept connections" in server.said() and answers(port))
        yield f"postgresql://postgres@{LOOPBACK}:{port}/postgres"


@contextlib.contextmanager
def run_redis(home: Path, debian: Path) -> Iterator[int]:
    port = free_port()
    command = [f"{debian}/usr/bin/redis-server", "--port", str(port), "--bind", LOOPBACK, "--save", ""]
    with running(Child.start("redis", command, home=home, env=libraries(debian))) as server:
        server.wait_until(lambda: answers(port))
        yield port


# -- snac


@dataclass
class Snac:
    """A snac server (Mastodon's API, ActivityPub) with alice and bob. ``proxy`` stands before nginx; None when bare."""

    url: str
    passwords: dict[str, str] = field(repr=False)
    data: Path
    proxy: FaultyProxy | None = None

    def token(self, user: str, *, client_name: str = "Régie's tests") -> str:
        """An access token, got as a person would: the app registers, the person signs in on snac's own page."""
        app = self.post_form("/api/v1/apps", app_form(client_name))
        code = self.sign_in(user, app["client_id"])
        return str(self.post_form("/oauth/token", code_form(app, code))["access_token"])

    def sign_in(self, user: str, client_id: str, *, redirect_uri: str = AFTER_SIGN_IN, state: str = "") -> str:
        """Fill in snac's sign-in page for an app; returns the authorization code."""
        asked = {"response_type": "code", "client_id": client_id, "redirect_uri": redirect_uri, "state": state}
        page = get_text(f"{self.url}/oauth/authorize?{urllib.parse.urlencode(asked)}")
        action = re.search(r'<form method="post" action="([^"]+)"', page)
        assert action is not None, page
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
        form = {name: html.unescape(value) for name, value in hidden.items()}
        form |= {"login": user, "passwd": self.passwords[user]}
        where = post_without_following(html.unescape(action[1]), form)
        return urllib.parse.parse_qs(urllib.parse.urlsplit(where).query)["code"][0]

    def make_older(self, said: str) -> None:
        """Moves what was said in these words to 2020, in snac's own files: new accounts have no past by themselves."""
        objects = {path.stat().st_ino: path for path in (self.data / "object").rglob("*.json")}
        (kept,) = (path for path in objects.values() if said in path.read_text())
        dated = re.sub(r'"published": "\d{4}', '"published": "2020', kept.read_text())
        with kept.open("r+") as same_file:  # linked from several places
            same_file.write(dated)

    def post_form(self, path: str, form: dict[str, str]) -> Any:
        return json.loads(get_text(self.url + path, urllib.parse.urlencode(form).encode()))


@contextlib.contextmanager
def run_snac(*, behind_nginx: bool) -> Iterator[Snac]:
    """Bare, snac closes each connection without saying so; nginx hides that, as it does on most real servers."""
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(workdir())
        debian = reachable_by_nobody(folder() / "debian", home)
        port = free_port()
        proxy = stack.enter_context(run_nginx(home, debian, port)) if behind_nginx else None
        public = f"localhost:{proxy.port if proxy else port}"
        data = give_to_nobody(home / "snac") / "data"
        passwords = found_snac(home, debian, data, port, public)
        command = [f"{debian}/usr/bin/snac", "httpd", str(data)]
        server = Child.start("snac", command, home=home, env=libraries(debian), as_nobody=True)
        stack.enter_context(running(server))
        server.wait_until(lambda: answers(port))
        yield Snac(f"http://{public}", passwords, data, proxy)


def found_snac(home: Path, debian: Path, data: Path, port: int, public: str) -> dict[str, str]:
    """Lay out a new server for ``public`` (host:port) and two people; returns their passwords."""
    snac = f"{debian}/usr/bin/snac"

    def told(command: list[str], lines: str) -> str:
        nobody = tied_to_us([snac, *command], as_nobody=True)
        return run_once(nobody, home=home, env=libraries(debian), given=lines)

    told(["init", str(data)], f"{LOOPBACK}\n{port}\n{public}\n\n\n")
    settings = data / "server.json"
    settings.write_text(settings.read_text().replace('"protocol": "https"', '"protocol": "http"'))
    passwords = {}
    for user in ("alice", "bob"):
        said = told(["adduser", str(data), user], f"{user}\n{user}\n")
        passwords[user] = said.partition("User password is ")[2].split()[0]
    return passwords


@contextlib.contextmanager
def run_nginx(home: Path, debian: Path, to_port: int) -> Iterator[FaultyProxy]:
    """nginx before a port, and a faulty proxy before nginx."""
    port = free_port()
    (home / "nginx").mkdir()
    (home / "nginx.conf").write_text(nginx_conf(port, to_port))
    command = [f"{debian}/usr/sbin/nginx", "-p", str(home), "-e", "stderr", "-c", "nginx.conf"]
    with running(Child.start("nginx", command, home=home, env=libraries(debian))) as server:
        server.wait_until(lambda: answers(port))
        with FaultyProxy(port) as proxy:
            yield proxy


def nginx_conf(port: int, to_port: int) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"  {kind}_temp_path nginx/{kind};\n" for kind in kinds)
    return f"""daemon off;
master_process off;
pid nginx/pid;
error_log stderr;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_max_body_size 50m;
{folders}  server {{
    listen {LOOPBACK}:{port};
    location / {{
      proxy_pass http://{LOOPBACK}:{to_port};
      proxy_set_header Host $http_host;
    }}
  }}
}}
"""


# -- mastodon-mock


@dataclass
class MastodonMock:
    """mastodon-mock: Mastodon 4's shapes, limits and errors, by somebody else. Strict where snac is lax."""

    url: str
    proxy: FaultyProxy
    tokens: dict[str, str] = field(repr=False)  # alice's and bob's

    def reset(self) -> None:
        """Back to two people who have said nothing."""
        post_json(f"{self.url}/api/v1/_mock/reset", {})

    def code(self, user: str) -> str:
        """What its page for choosing an account hands out when ``user`` is pressed."""
        redirect_uri = f"{self.url}/back"
        where = post_without_following(f"{self.url}/oauth/authorize", {"username": user, "redirect_uri": redirect_uri})
        return urllib.parse.parse_qs(urllib.parse.urlsplit(where).query)["code"][0]


@contextlib.contextmanager
def run_mastodon_mock() -> Iterator[MastodonMock]:
    tokens = {"alice": "alice_token", "bob": "bob_token"}
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(workdir())
        port = free_port()
        proxy = stack.enter_context(FaultyProxy(port))
        people = (f'[[seed.accounts]]\nusername = "{who}"\naccess_token = "{token}"\n' for who, token in tokens.items())
        (home / "mock.toml").write_text("".join(people))
        program = folder() / "mastodon-mock/bin/mastodon_mock"
        options = ["--in-memory", "--host", LOOPBACK, "--port", str(port), "--domain", f"localhost:{proxy.port}"]
        command = [str(program), "serve", "--config", str(home / "mock.toml"), *options, "--log-level", "warning"]
        server = stack.enter_context(running(Child.start("mastodon-mock", command, home=home)))
        server.wait_until(lambda: answers(port))
        yield MastodonMock(f"http://localhost:{proxy.port}", proxy, tokens)


# -- small things


def libraries(debian: Path) -> dict[str, str]:
    """Unpacked programs find the libraries that were unpacked with them."""
    found = sorted({str(library.parent) for library in debian.glob("usr/lib/*-linux-gnu/lib*.so*")})
    return {"LD_LIBRARY_PATH": ":".join(found)}


def run_once(command: list[str], *, home: Path, env: dict[str, str], given: str = "") -> str:
    """Run to the end and return what was printed. Raises ServerFailed."""
    done = subprocess.run(command, cwd=home, env=env, input=given, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise ServerFailed(f"{' '.join(command)} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
    return done.stdout


def app_form(client_name: str) -> dict[str, str]:
    return {"client_name": client_name, "redirect_uris": AFTER_SIGN_IN, "scopes": MASTODON_SCOPES}


def code_form(app: dict[str, str], code: str) -> dict[str, str]:
    who = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
    return {"grant_type": "authorization_code", "code": code, "redirect_uri": AFTER_SIGN_IN, **who}


def get_text(url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> str:
    request = urllib.request.Request(url, data, headers or {})
    with urllib.request.urlopen(request, timeout=20) as answer:
        text: str = answer.read().decode()
        return text


def post_json(url: str, body: Any) -> Any:
    return json.loads(get_text(url, json.dumps(body).encode(), {"content-type": "application/json"}))


def post_without_following(url: str, form: dict[str, str]) -> str:
    """Post a form and return where the answer redirects to."""
    at = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(at.netloc, timeout=20)
    try:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        connection.request("POST", at.path, urllib.parse.urlencode(form), headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status in (302, 303), f"no redirect: {answer.status}"
        return answer.headers["location"]
    finally:
        connection.close()
