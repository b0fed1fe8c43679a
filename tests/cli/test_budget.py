"""Database connections are counted: what all roles may hold fits into the embedded server, with room for people."""

from __future__ import annotations

from regie.config import budget
from regie.config.env import Env
from regie.core.embedded import cluster
from regie.core.threads import THREADS
from regie.publishing.engine import publisher


def test_all_roles_together_fit_into_the_embedded_server() -> None:
    most = int(cluster._SETTINGS["max_connections"])
    assert sum(budget.connections(Env()).values()) <= most - 3  # PostgreSQL keeps three for itself


def test_two_web_processes_fit_as_well() -> None:
    most = int(cluster._SETTINGS["max_connections"])
    assert sum(budget.connections(Env(web_workers=2)).values()) <= most - 3


def test_the_publisher_asks_for_no_more_than_its_share() -> None:
    assert budget.publisher_pool(Env()) == publisher.CONNECTIONS
    assert budget.connections(Env())["publisher"] == publisher.CONNECTIONS + budget.LISTENS + THREADS
