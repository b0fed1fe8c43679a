"""Installs real servers for the tests into a folder of their own; nothing outside that folder changes.

    scripts/real_servers.py install [--into DIR] [bluesky|snac|mastodon-mock|all]...
    scripts/real_servers.py check   [--into DIR] [bluesky|snac|mastodon-mock|all]...

DIR is ``.real-servers`` in the project, or what REGIE_REAL_SERVERS says. Debian packages are unpacked there, not
installed: no service is started and no root is needed. Installing again does only what is missing or has changed.
Uses the standard library only, so that it runs before anything else is installed.
"""

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]

DEBIAN = "bookworm"
DEBIAN_PACKAGES = {  # for bluesky's AppView, and for snac
    "bluesky": ("postgresql-15", "redis-server", "redis-tools"),
    "snac": ("nginx-light", "nginx", "snac2=2.75-2~bpo12+1"),
}
DEBIAN_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
NEEDLESS = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/lib/postgresql/15/lib/bitcode")


class CannotInstall(Exception):
    """Its text is the line a person needs."""


def folder() -> Path:
    """Where the servers are, or will be."""
    return Path(os.environ.get("REGIE_REAL_SERVERS") or PROJECT / ".real-servers").absolute()


@dataclass(frozen=True)
class Part:
    """One thing to install below the folder, with the pins that decide whether it is up to date."""

    name: str
    pins: tuple[str | Path, ...]
    install: Callable[[Path], None]

    def stamp(self, into: Path) -> Path:
        return into / f"{self.name}.installed"

    def fingerprint(self) -> str:
        digest = hashlib.sha256(platform.machine().encode())
        for pin in self.pins:
            digest.update(pin.read_bytes() if isinstance(pin, Path) else pin.encode())
        return digest.hexdigest()

    def is_installed(self, into: Path) -> bool:
        stamp = self.stamp(into)
        return stamp.is_file() and stamp.read_text() == self.fingerprint()

    def ensure(self, into: Path) -> str:
        """Install unless it is there; returns a line about what happened. Raises CannotInstall."""
        if self.is_installed(into):
            return f"{self.name}: already there"
        started = time.monotonic()
        self.stamp(into).unlink(missing_ok=True)
        self.install(into)
        self.stamp(into).write_text(self.fingerprint())
        return f"{self.name}: installed in {time.monotonic() - started:.0f} s"


# -- Debian packages, unpacked


def install_debian(into: Path) -> None:
    """Every package that is not on this machine yet, dependencies included, unpacked below ``debian``."""
    need("apt-get", "dpkg-deb", why="snac, nginx, redis and PostgreSQL come from Debian 12's packages")
    if not DEBIAN_KEYS.exists():
        raise CannotInstall(f"{DEBIAN_KEYS} is missing: apt-get install debian-archive-keyring")
    apt, root = into / "apt", into / "debian"
    shutil.rmtree(root, ignore_errors=True)
    for part in ("lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    (apt / "sources.list").write_text(debian_sources())
    packages = sorted({package for several in DEBIAN_PACKAGES.values() for package in several})
    run([*apt_get(apt), "update", "-qq"], timeout=300)
    download = ["install", "--yes", "-qq", "--download-only", "--no-install-recommends", "--reinstall"]
    run([*apt_get(apt), *download, *packages], timeout=600)
    for archive in sorted((apt / "cache/archives").glob("*.deb")):
        run(["dpkg-deb", "-x", str(archive), str(root)], timeout=120)
    for needless in NEEDLESS:
        shutil.rmtree(root / needless, ignore_errors=True)
    shutil.rmtree(apt)


def apt_get(apt: Path) -> list[str]:
    """apt-get with lists and cache of its own, which therefore needs neither root nor the machine's sources."""
    options = {
        "Dir::State::lists": apt / "lists",
        "Dir::Cache": apt / "cache",
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "1",
    }
    return ["apt-get", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]


def debian_sources() -> str:
    """The four suites, from the mirror this machine already uses."""
    main, security = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security"
    configured = Path("/etc/apt/sources.list.d/debian.sources")
    for uri in re.findall(r"^URIs:\s*(\S+)", configured.read_text() if configured.exists() else "", re.MULTILINE):
        if uri.rstrip("/").endswith("-security"):
            security = uri
        else:
            main = uri
    suites = (
        (main, DEBIAN),
        (main, f"{DEBIAN}-updates"),
        (security, f"{DEBIAN}-security"),
        (main, f"{DEBIAN}-backports"),
    )
    return "".join(f"deb [signed-by={DEBIAN_KEYS}] {uri} {suite} main\n" for uri, suite in suites)


# -- npm


def install_bluesky(into: Path) -> None:
    """Bluesky's own development network from npm. Its SQLite has no prebuilt binary everywhere and is compiled."""
    need("node", "npm", "make", "c++", why="Bluesky's servers are node programs")
    version = run(["node", "--version"]).strip()
    if not version.startswith("v20."):
        raise CannotInstall(f"Bluesky's servers need node 20, and this is {version}")
    home = into / "bluesky"
    home.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / "bluesky" / name, home / name)
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=home, timeout=900)
    run(["npm", "rebuild", "better-sqlite3"], cwd=home, env=compiler_settings(), timeout=900)


def compiler_settings() -> dict[str, str]:
    """Compile from source without asking for a prebuilt binary, and for a quick build rather than a quick database."""
    settings = {"CFLAGS": "-O1", "CXXFLAGS": "-O1", "npm_config_build_from_source": "true"}
    prefix = Path(shutil.which("node") or "").resolve().parents[1]
    if (prefix / "include/node/node.h").exists():
        settings["npm_config_nodedir"] = str(prefix)
    return settings


# -- Python


def install_mastodon_mock(into: Path) -> None:
    """An environment of its own: what it depends on need not agree with what we depend on."""
    home = into / "mastodon-mock"
    shutil.rmtree(home, ignore_errors=True)
    requirements = str(HERE / "mastodon_mock.txt")
    if shutil.which("uv"):
        run(["uv", "venv", "--quiet", "--python", sys.executable, str(home)])
        run(["uv", "pip", "install", "--quiet", "--python", str(home / "bin/python"), "-r", requirements], timeout=300)
    else:
        run([sys.executable, "-m", "venv", str(home)])
        run([str(home / "bin/python"), "-m", "pip", "install", "--quiet", "-r", requirements], timeout=300)


# -- the whole

DEBIAN_PART = Part(
    "debian", (DEBIAN, *(package for several in DEBIAN_PACKAGES.values() for package in several)), install_debian
)
BLUESKY_PART = Part("bluesky", (HERE / "bluesky/package.json", HERE / "bluesky/package-lock.json"), install_bluesky)
MOCK_PART = Part("mastodon-mock", (HERE / "mastodon_mock.txt", sys.version), install_mastodon_mock)

SERVERS: dict[str, tuple[Part, ...]] = {
    "bluesky": (BLUESKY_PART, DEBIAN_PART),
    "snac": (DEBIAN_PART,),
    "mastodon-mock": (MOCK_PART,),
}


def missing(server: str, into: Path | None = None) -> str | None:
    """A line saying how to get a server that is not installed, or None when it is."""
    absent = [part.name for part in SERVERS[server] if not part.is_installed(into or folder())]
    if not absent:
        return None
    return f"{server} is not installed ({', '.join(absent)} missing): python scripts/real_servers.py install {server}"


def install(servers: Sequence[str], into: Path) -> int:
    """Install several servers side by side. Returns 0, or 1 when one of them could not be."""
    into.mkdir(parents=True, exist_ok=True)
    parts = {part.name: part for server in servers for part in SERVERS[server]}
    failed = 0
    with ThreadPoolExecutor() as pool:
        under_way = {pool.submit(part.ensure, into): name for name, part in parts.items()}
        for done in as_completed(under_way):
            try:
                say(done.result())
            except CannotInstall as error:
                failed = 1
                say(f"{under_way[done]}: cannot be installed: {error}")
    return failed


def check(servers: Sequence[str], into: Path) -> int:
    """Say what is missing. Returns 0 when nothing is."""
    lines = [line for server in servers if (line := missing(server, into))]
    for line in lines or [f"{', '.join(servers)}: installed in {into}"]:
        say(line)
    return 1 if lines else 0


def need(*programs: str, why: str) -> None:
    absent = [program for program in programs if shutil.which(program) is None]
    if absent:
        raise CannotInstall(f"{', '.join(absent)} not found on PATH; {why}")


def run(command: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None, timeout: int = 60) -> str:
    """Run to the end and return what was printed. Raises CannotInstall with the last lines of what went wrong."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", **(env or {})}
    try:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise CannotInstall(f"{command[0]} took more than {timeout} s: {' '.join(command)}") from error
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()[-15:]
        raise CannotInstall("\n  ".join([f"{' '.join(command)} failed ({done.returncode})", *said]))
    return done.stdout


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="real_servers.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("action", choices=("install", "check"))
    parser.add_argument("servers", nargs="*", default=["all"], metavar="SERVER", help=f"{', '.join(SERVERS)} or all")
    parser.add_argument("--into", type=Path, default=folder(), help="the folder (default: %(default)s)")
    options = parser.parse_args(arguments)
    for server in options.servers:
        if server not in (*SERVERS, "all"):
            parser.error(f"no server called {server}")
    servers = list(SERVERS) if "all" in options.servers else options.servers
    action = install if options.action == "install" else check
    return action(servers, options.into.absolute())


if __name__ == "__main__":
    sys.exit(main())
