"""Whether a post goes out once, whatever happens: the engine under everything that can go wrong at once.

An installation of its own in a temporary folder: the embedded database, two sandbox processes, real publishers. While
thousands of deliveries of every kind fall due, publishers are killed, stopped past their lease and replaced, PostgreSQL
is restarted and killed, connections are cut, answers are lost, networks have bad moments. When it is over and all is
settled, what the tables say is held against what the sandboxes accepted.
"""

from __future__ import annotations

import argparse

from regie.cli.benchmarks import Report, Result
from regie.cli.benchmarks.house import House, in_a_house

BUDGET = "0 lost, 0 doubled, 0 stuck; unclear only where nobody knows: no more than answers lost and sends cut short"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deliveries", type=int, default=10_000, help="over all kinds of connector (10000)")
    parser.add_argument("--minutes", type=float, default=5, help="how long the bad time lasts; fractions allowed (5)")
    parser.add_argument("--seed", type=int, default=1, help="of the plan and of what happens (1)")
    parser.add_argument("--publishers", type=int, default=3, help="publisher processes (3)")
    parser.add_argument("--without", action="append", default=[], metavar="KIND", help="leave a kind of connector out")
    parser.add_argument("--lease", type=float, default=10, help="seconds of a publisher's lease (10)")
    parser.add_argument("--call", type=float, default=60, help="seconds a network may take to answer (60)")


def run(arguments: argparse.Namespace) -> Report:
    return in_a_house(_measure, arguments)


def _measure(house: House, given: argparse.Namespace) -> Report:
    from regie.cli.benchmarks.chaos.storm import live_through_it

    found = live_through_it(house, given)
    results = [
        Result("lost", found["lost"], "posts", 0),
        Result("doubled", found["doubled"], "posts", 0),
        Result("stuck", found["stuck"], "deliveries", 0),
        Result("unclear where it can be found out", found["unclear_elsewhere"], "deliveries", 0),
        Result("unclear where nobody knows", found["unclear"], "deliveries", found["unclear_allowed"]),
    ]
    keys = ("deliveries", "kills", "restarts", "lost", "doubled", "stuck", "unclear", "unclear_allowed")
    return Report(results, {key: found[key] for key in keys})
