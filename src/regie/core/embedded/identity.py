"""Who PostgreSQL runs as. It refuses to be root; we refuse nobody and open no folder to strangers.

As an ordinary user there is nothing to do. As root, in this order, the first that is seen to work:

1. a user id of its own without any privilege, when every parent folder lets it through;
2. the same with the one capability to walk through folders it may not read (``CAP_DAC_READ_SEARCH``, or
   ``CAP_DAC_OVERRIDE`` in containers that took the former away), kept across exec as an ambient capability;
3. a user namespace in which our own id has another number, for containers where ids cannot be changed.

``initdb`` and ``pg_upgrade`` also refuse an id that has no name in ``/etc/passwd``, so for their short work the files
are lent to one that has (root), or our id gets such a number in a namespace (``docker run --user 12345``).

Source: capabilities(7), user_namespaces(7), prctl(2).
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .errors import EmbeddedError

OWN_UID = 60932  # in the range that systemd's list of ids leaves unused, and inside a container's 65536

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_CLONE_NEWUSER = 0x10000000
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def _check(result: int, doing: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{doing}: {os.strerror(ctypes.get_errno())}")


def _prctl(option: int, *args: int) -> None:
    rest = [ctypes.c_ulong(arg) for arg in (*args, 0, 0, 0, 0)[:4]]
    _check(_libc.prctl(ctypes.c_int(option), *rest), f"prctl {option}")


def _keep_only(capability: int) -> None:
    mask = 1 << capability
    sets = (_Sets * 2)(_Sets(mask, mask, mask), _Sets(0, 0, 0))
    _check(_libc.capset(ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), sets), "capset")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def _enter_namespace() -> None:
    uid, gid, inside = os.geteuid(), os.getegid(), someone()
    _check(_libc.unshare(_CLONE_NEWUSER), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inside.pw_uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{inside.pw_gid} {gid} 1")


def someone() -> pwd.struct_passwd:
    """A user with a name who is not root: nobody, or the last in the list where there is no nobody."""
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        others = [found for found in pwd.getpwall() if found.pw_uid != 0]
    if not others:
        raise EmbeddedError(
            "PostgreSQL needs a user with a name: add a line such as "
            "nobody:x:65534:65534::/:/bin/false to /etc/passwd.",
            kind="root",
        )
    return others[-1]


def has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


class Identity:
    """One way to run PostgreSQL. ``uid`` and ``gid`` are the owners its files need, seen from outside."""

    def __init__(self, uid: int, gid: int, *, capability: int | None = None, namespace: bool = False) -> None:
        self.uid, self.gid = uid, gid
        self.capability, self.namespace = capability, namespace

    def __repr__(self) -> str:
        return f"Identity({self.uid}, {self.gid}, capability={self.capability}, namespace={self.namespace})"

    def becoming(self) -> Callable[[], None]:
        """The function to run in the child between fork and exec."""
        parent = os.getpid()

        def become() -> None:
            os.umask(0o077)
            if self.namespace:
                _enter_namespace()
            elif self.uid != os.geteuid():
                self._change_user()
            # Last, as changing user clears it. SIGINT is PostgreSQL's fast shutdown.
            _prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
            if os.getppid() != parent:
                os._exit(1)  # the keeper died in between: its death will not be announced any more

        return become

    def _change_user(self) -> None:
        if self.capability is not None:
            _prctl(_PR_SET_KEEPCAPS, 1)
        os.setgroups([])
        os.setresgid(self.gid, self.gid, self.gid)
        os.setresuid(self.uid, self.uid, self.uid)
        if self.capability is not None:
            _keep_only(self.capability)

    def named(self) -> Identity:
        """The same rights under an id that has a name, for ``initdb`` and ``pg_upgrade``."""
        if self.namespace or has_name(self.uid):
            return self
        if os.geteuid() == 0:
            found = someone()
            return Identity(found.pw_uid, found.pw_gid, capability=self.capability)
        return Identity(self.uid, self.gid, namespace=True)

    def borrow(self, tree: Path) -> None:
        """Give a tree to this identity for a while; the folder itself first, so that ``own`` knows what to repair."""
        if tree.stat().st_uid != self.uid:
            os.chown(tree, self.uid, self.gid, follow_symlinks=False)
            self._own_inside(tree)

    def own(self, tree: Path) -> None:
        """Give a cluster and all that is in it to this identity; the folder itself last: it says that all is done."""
        if not tree.exists() or tree.stat().st_uid == self.uid:
            return
        self._own_inside(tree)
        os.chown(tree, self.uid, self.gid, follow_symlinks=False)

    def _own_inside(self, tree: Path) -> None:
        for folder, folders, files in os.walk(tree, topdown=False):
            for name in (*folders, *files):
                os.chown(Path(folder) / name, self.uid, self.gid, follow_symlinks=False)

    def works(self, program: Path, folders: list[Path]) -> bool:
        """Whether this identity can run the program and reach the folders: tried, not guessed."""
        become = self.becoming()

        def try_it() -> None:
            become()
            for folder in folders:
                os.stat(f"{folder}/.")  # noqa: PTH116 - Path drops the dot, which asks for the right to enter

        with suppress(OSError, subprocess.SubprocessError):
            tried = subprocess.run(
                [program, "--version"], preexec_fn=try_it, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
            )
            return tried.returncode == 0
        return False


def choose(program: Path, folders: list[Path], *, owner: int, made_by: int | None) -> Identity:
    """Decide who runs PostgreSQL.

    ``owner`` is the user id that owns the data folder: a root who starts somebody's Régie runs PostgreSQL as that
    somebody. ``made_by`` owns the cluster, if there is one. Raises EmbeddedError when no way works.
    """
    us, group = os.geteuid(), os.getegid()
    if us != 0:
        return Identity(us, group)
    uid = owner or OWN_UID
    dropped = [Identity(uid, uid, capability=cap) for cap in (None, _CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE)]
    inside = Identity(us, group, namespace=True)
    # A cluster that root owns was made in a namespace: no need to hand it over while that still works.
    ways = [inside, *dropped] if made_by == 0 else [*dropped, inside]
    for way in ways:
        if way.works(program, folders):
            return way
    raise EmbeddedError(
        "PostgreSQL does not run as root, and this container allows neither another user id nor a user namespace. "
        "Run Régie as an ordinary user, or set DATABASE_URL to a server of yours.",
        kind="root",
    )
