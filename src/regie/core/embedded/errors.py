"""What can go wrong with the database, each time with a sentence that says what to do."""

from __future__ import annotations


class EmbeddedError(Exception):
    """``said`` is a sentence for the person who started the product; ``log`` the server's last lines, if any.

    ``kind`` is a word for programs: ``disk_full``, ``permission``, ``too_new``, ``too_old``, ``in_use``, ``root``,
    ``unreachable``, ``upgrade``, ``missing`` or ``failed``. No password is ever in any of the three.
    """

    def __init__(self, said: str, *, kind: str = "failed", log: str = "") -> None:
        super().__init__(f"{said}\n{log}" if log else said)
        self.said, self.kind, self.log = said, kind, log


class ServerTooOld(EmbeddedError):
    """The server named by ``DATABASE_URL`` is older than the product can use."""


_SIGNS = (
    ("No space left on device", "disk_full"),
    ("Disk quota exceeded", "disk_full"),
    ("Read-only file system", "permission"),
    ("Permission denied", "permission"),
    ("Operation not permitted", "permission"),
    ("database files are incompatible", "too_new"),
)


def explain(doing: str, log: str, *, folder: str) -> EmbeddedError:
    """Turn the last lines of a server or tool that gave up while ``doing`` something into an error that helps."""
    kind = next((kind for sign, kind in _SIGNS if sign in log), "failed")
    match kind:
        case "disk_full":
            said = f"The disk that holds {folder} is full. Free some space there, then start again: nothing is lost."
        case "permission":
            said = f"PostgreSQL may not write in {folder}. Give that folder back to the user who runs Régie."
        case "too_new":
            said = f"The data in {folder} were made by another version of PostgreSQL. Start the newer Régie again."
        case _:
            said = f"PostgreSQL stopped while {doing}. The lines below say why; the data are in {folder}."
    return EmbeddedError(said, kind=kind, log=log)
