"""Jobs whose worker was killed are done again; jobs that failed are forgotten after two weeks."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from django.db import connection

from regie.people import tasks


def job_states() -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status::text, attempts FROM procrastinate_jobs ORDER BY id")
        return list(cursor.fetchall())


@pytest.fixture
def job(db: None) -> int:
    """The only one there is: a thread of another test may have committed one of its own."""
    with connection.cursor() as cursor:
        for table in ("procrastinate_events", "procrastinate_periodic_defers", "procrastinate_jobs"):
            cursor.execute(f"DELETE FROM {table}")
    return tasks.mail_notices.configure(queueing_lock=None).defer(timestamp=0)


@pytest.mark.parametrize("seen", ["1 hour", None])
def test_a_job_whose_worker_died_is_taken_up_again(job: int, seen: str | None) -> None:
    with connection.cursor() as cursor:
        worker = None
        if seen is not None:
            cursor.execute(
                "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s::interval) RETURNING id", [seen]
            )
            (worker,) = cursor.fetchone()
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [worker])
    async_to_sync(tasks.take_up_jobs.func)(timestamp=0)
    assert [status for status, _ in job_states()] == ["todo"]


def test_a_job_whose_worker_lives_is_left_to_it(job: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()) RETURNING id")
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [cursor.fetchone()[0]])
    async_to_sync(tasks.take_up_jobs.func)(timestamp=0)
    assert [status for status, _ in job_states()] == ["doing"]


def test_a_failed_job_is_forgotten_after_two_weeks(job: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing'")
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    async_to_sync(tasks.forget_jobs.func)(timestamp=0)
    assert [status for status, _ in job_states()] == ["failed"]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_events SET at = now() - interval '15 days'")
    async_to_sync(tasks.forget_jobs.func)(timestamp=0)
    assert job_states() == []
