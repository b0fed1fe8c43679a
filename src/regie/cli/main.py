"""The command line: what there is, and what each command calls. Imports stay inside the commands, so all start fast."""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from regie import __version__
from regie.cli.errors import Stop

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. A Stop is a sentence for the person, without a stack trace: exit code 1."""
    arguments = _parser().parse_args(argv)
    command: Command = arguments.command
    try:
        _check_settings()
        return command(arguments)
    except BrokenPipeError:  # `regie networks | head`
        sys.stderr.close()
        return 1
    except Stop as exc:
        sys.stderr.write(f"regie: {exc}\n")
        return 1
    except OSError as exc:
        if (said := _about_the_disk(exc)) is None:
            raise
        sys.stderr.write(f"regie: {said}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _check_settings() -> None:
    """Raises Stop with a line for each variable that cannot be what it is. Their values stay unsaid."""
    from pydantic import ValidationError

    from regie.config.env import env

    try:
        env()
    except ValidationError as exc:
        wrong = []
        for error in exc.errors(include_input=False, include_url=False):
            name = "__".join(str(part) for part in error["loc"]).upper()
            wrong.append(f"{name if name == 'DATABASE_URL' else f'REGIE_{name}'}: {error['msg']}.")
        raise Stop("Some settings cannot be used. " + " ".join(wrong)) from None


def _about_the_disk(exc: OSError) -> str | None:
    from regie.config.env import env

    where = exc.filename or env().data
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk that holds {env().data} is full. Free some space there, then start again: nothing is lost."
    if exc.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where} cannot be used ({exc.strerror}). Give it to the user who runs Régie, or set REGIE_DATA."
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="regie", description="The control room of a social media manager.")
    parser.add_argument("--version", action="version", version=f"regie {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, command: Command, help_: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help_, description=help_)
        made.set_defaults(command=command)
        return made

    add("up", _up, "Start everything on this machine: database, web, publisher, worker.")
    add("demo", _demo, "Start everything with sandbox networks and two demo brands.")
    add("web", _web, "Only the web server.")
    publisher = add("publisher", _publisher, "Only a publisher: sends what is due.")
    publisher.add_argument(
        "--only",
        choices=["video", "rest"],
        default="",
        help="video: uploads videos ahead of their hour and sends nothing; rest: everything but that",
    )
    add("worker", _worker, "Only a worker: reads messages, collects numbers, sends e-mail.")
    _sandbox_options(add("sandbox", _sandbox, "Local networks that speak the vendors' own protocols."))
    _publish_options(add("publish", _publish, "Publish or plan one post from here, and print its receipt."))
    networks = add("networks", _networks, "What each network can do here.")
    networks.add_argument("--json", action="store_true", help="one line of JSON")
    doctor = add("doctor", _doctor, "Look for what is wrong, and say what to do.")
    doctor.add_argument("--json", action="store_true", help="one line of JSON")
    _backup_options(add("backup", _backup, "Everything in one file, while the product runs."))
    _restore_options(add("restore", _restore, "Put a backup into an empty place. Starts frozen."))
    media = add("media", _media, "Copy the media between this machine's folder and the bucket; done again, it goes on.")
    media.add_argument("action", choices=["copy"])
    media.add_argument("to", choices=["bucket", "folder"], help="where the files are to be as well")
    keys = add("keys", _keys, "Seal every secret again under a new key.")
    keys.add_argument("action", choices=["rotate"])
    add("demo-data", _demo_data, "Fill an empty demo installation; does nothing when it is filled.")
    add("setup", _setup, "Bring database, translations and static files up to date; the other commands need it once.")
    manage = add("manage", _manage, "Django's own management commands.")
    manage.add_argument("rest", nargs=argparse.REMAINDER)
    bench = add("bench", _bench, "Measure this installation against its budgets.")
    bench.add_argument("--json", action="store_true", help="one line of JSON")
    bench.add_argument(
        "given",
        nargs=argparse.REMAINDER,
        metavar="NAME [OPTIONS]",
        help="a benchmark's name, all, or list (the default)",
    )
    return parser


def _up(_: argparse.Namespace) -> int:
    from regie.cli.supervisor import run

    return run(demo=False)


def _demo(_: argparse.Namespace) -> int:
    from regie.cli.supervisor import run

    return run(demo=True)


def _web(_: argparse.Namespace) -> int:
    from regie.cli.roles import web

    return web()


def _publisher(given: argparse.Namespace) -> int:
    from regie.cli.roles import publisher

    return publisher(given.only)


def _worker(_: argparse.Namespace) -> int:
    from regie.cli.roles import worker

    return worker()


def _sandbox_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=int, default=0, help="control port; the networks take the next ones (0: free ones)"
    )
    parser.add_argument("--data", type=Path, help="keep what happens there in this folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--live", action="store_true", help="with an audience that reads, likes and answers")
    parser.add_argument("--quiet", action="store_true", help="print no addresses and tokens")


def _sandbox(arguments: argparse.Namespace) -> int:
    from regie_sandbox.main import run

    return run(
        port=arguments.port, data=arguments.data, seed=arguments.seed, live=arguments.live, quiet=arguments.quiet
    )


def _publish_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--account", required=True, help="number, handle or name, as `regie publish --account ?` lists them"
    )
    parser.add_argument("--text", default="", help="what to say ('-' reads standard input)")
    parser.add_argument("--media", type=Path, action="append", default=[], help="a picture; may be given several times")
    parser.add_argument("--alt", action="append", default=[], help="what the picture shows, in the order of --media")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what the network asks for beside the text (title=Linen, tags=linen,wool, notify=no); several times",
    )
    parser.add_argument("--first-comment", default="", help="what to say under the post once it is out")
    parser.add_argument("--at", help="wall-clock time, as 2030-03-01T09:15 (default: now)")
    parser.add_argument("--zone", help="IANA time zone (default: the workspace's)")
    parser.add_argument("--as", dest="user", help="e-mail of the member who publishes (default: the first owner)")
    parser.add_argument("--wait", type=float, default=60, help="seconds to wait for the receipt (default 60)")
    parser.add_argument("--json", action="store_true", help="the receipt as one line of JSON")


def _publish(arguments: argparse.Namespace) -> int:
    from regie.cli.publish import run

    return run(arguments)


def _networks(arguments: argparse.Namespace) -> int:
    from regie.cli.networks import run

    return run(as_json=arguments.json)


def _doctor(arguments: argparse.Namespace) -> int:
    from regie.cli.doctor import run

    return run(as_json=arguments.json)


def _backup_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, nargs="?", help="default: regie-<date>.zip in this folder")
    parser.add_argument(
        "--with-key",
        action="store_true",
        help="include the sealing key under a passphrase (REGIE_PASSPHRASE, or asked)",
    )


def _backup(arguments: argparse.Namespace) -> int:
    from regie.cli.copies import back_up

    return back_up(arguments.file, with_key=arguments.with_key)


def _restore_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)


def _restore(arguments: argparse.Namespace) -> int:
    from regie.cli.copies import restore

    return restore(arguments.file)


def _media(arguments: argparse.Namespace) -> int:
    from regie.cli.media import copy

    return copy(to=arguments.to)


def _keys(_: argparse.Namespace) -> int:
    from regie.cli.keys import rotate

    return rotate()


def _demo_data(_: argparse.Namespace) -> int:
    from regie.cli.demo import run

    return run()


def _setup(_: argparse.Namespace) -> int:
    from regie.cli.setup import run

    return run()


def _manage(arguments: argparse.Namespace) -> int:
    from regie.cli.django import ready

    with ready():
        from django.core.management import execute_from_command_line

        execute_from_command_line(["regie manage", *arguments.rest])
    return 0


def _bench(arguments: argparse.Namespace) -> int:
    from regie.cli.bench import run

    return run(arguments.given, as_json=arguments.json)
