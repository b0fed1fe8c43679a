"""Keeping accounts connected: tokens renewed once, troubles told, pauses kept, secrets sealed."""

from __future__ import annotations

import asyncio
import base64
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from allauth.mfa.models import Authenticator
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import Client

from regie.accounts import services
from regie.accounts.models import Account
from regie.accounts.opening import open_credentials, seal_credentials
from regie.core.sealed import CannotOpen, Sealer, keys_of
from regie.core.threads import in_thread
from regie.networks.bluesky.connector import Bluesky
from regie.networks.data import Profile, SignedIn
from regie.networks.errors import SignInAgain
from regie.people import notices
from regie.people.adapter import MFAAdapter
from regie.people.models import Member, Notice

from .walking import HERE

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

in_a_transaction_of_its_own = pytest.mark.django_db(transaction=True)


def refresh(account: Account) -> bool:
    return asyncio.run(services.refresh_token(account.pk))


@pytest.fixture
def due(bluesky_account: Account) -> Account:
    """A Bluesky account, kept as one that an app password opened, whose token wants trading."""
    bluesky_account.refresh_at = bluesky_account.created_at
    bluesky_account.save(update_fields=["refresh_at"])
    return bluesky_account


@in_a_transaction_of_its_own
def test_a_token_is_traded_before_it_runs_out(clock: Clock, due: Account) -> None:
    before = open_credentials(due)
    assert refresh(due)
    due.refresh_from_db()
    after = open_credentials(due)
    assert after["refresh"] != before["refresh"]
    assert after["did"] == before["did"]
    assert due.expires_at is not None
    assert due.refresh_at is not None
    assert clock.moment < due.refresh_at < due.expires_at
    assert due.refreshing_until is None


@in_a_transaction_of_its_own
def test_two_workers_trade_it_once(due: Account, bluesky: Sandbox) -> None:
    """The network rotates refresh tokens: a second trade with the same one could end the session."""
    bluesky.will_delay(0.4, path="refreshSession")
    together = Barrier(2)

    def work(_: int) -> bool:
        together.wait()
        try:
            return refresh(due)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(work, range(2))) == [False, True]


@in_a_transaction_of_its_own
def test_the_lease_of_a_worker_that_died_runs_out(clock: Clock, due: Account) -> None:
    assert services.claim_for_refresh(due.pk) is not None
    assert services.claim_for_refresh(due.pk) is None
    clock.advance(minutes=2, seconds=1)
    assert services.claim_for_refresh(due.pk) is not None


@in_a_transaction_of_its_own
@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_passing_trouble_keeps_the_account_and_is_tried_again(
    clock: Clock, due: Account, bluesky: Sandbox, status: int
) -> None:
    bluesky.will_answer(status, path="refreshSession")
    assert not refresh(due)
    due.refresh_from_db()
    assert due.state == "connected"
    assert due.problem
    assert due.refresh_at is not None
    assert due.refresh_at > clock.moment
    assert not Notice.objects.exists()
    assert refresh(due)


@in_a_transaction_of_its_own
@pytest.mark.parametrize("state", ["connected", "paused"])
def test_a_dead_token_disconnects_and_is_told_once(due: Account, bluesky: Sandbox, bob: Member, state: str) -> None:
    Account.objects.update(state=state)
    body = {"error": "ExpiredToken", "message": "Token has been revoked"}
    bluesky.will_answer(400, path="refreshSession", body=body)
    assert not refresh(due)
    assert not refresh(due)
    due.refresh_from_db()
    assert (due.state, due.refresh_at, due.refreshing_until) == ("broken", None, None)
    (notice,) = Notice.objects.all()
    assert (notice.user.name, notice.urgent, notice.kind) == ("Alice", True, "account.broken")  # Bob may not reconnect


@in_a_transaction_of_its_own
def test_two_workers_that_meet_a_dead_token_tell_once(due: Account) -> None:
    together = Barrier(2)

    def work(_: int) -> None:
        together.wait()
        try:
            services.disconnect(Account.objects.get(pk=due.pk), SignInAgain("Dead."))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert Notice.objects.count() == 1


ANSWERS = {
    "yes": None,
    "not now": (503, None),
    "dead": (400, {"error": "ExpiredToken", "message": "Token has been revoked"}),
}


@pytest.fixture(params=ANSWERS)
def answered(request: pytest.FixtureRequest, bluesky: Sandbox) -> None:
    """What the network says to the old token."""
    if (answer := ANSWERS[request.param]) is not None:
        bluesky.will_answer(answer[0], path="refreshSession", body=answer[1])


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Has something happen once the network has answered a trade, before that is written down here."""

    def happens(do: Callable[[], None]) -> None:
        trade = Bluesky.refresh

        async def refresh_and_then(self: Bluesky) -> SignedIn:
            try:
                return await trade(self)
            finally:
                await in_thread(do)

        monkeypatch.setattr(Bluesky, "refresh", refresh_and_then)

    return happens


@pytest.fixture
def reconnect(due: Account, alice: Member) -> Callable[[], None]:
    profile = Profile(remote_id=due.remote_id, name=due.name, handle=due.handle, server=due.server)

    def sign_in() -> None:
        fresh = SignedIn(credentials={**open_credentials(due), "refresh": "of the new sign-in"})
        services.connect(network=due.network, profile=profile, signed_in=fresh, by=alice, again=due)

    return sign_in


@in_a_transaction_of_its_own
@pytest.mark.parametrize("before", [True, False], ids=["while it is traded", "right after"])
def test_who_connects_an_account_again_while_its_token_is_traded_has_it_connected(
    clock: Clock,
    due: Account,
    answered: None,
    reconnect: Callable[[], None],
    meanwhile: Callable[[Callable[[], None]], None],
    before: bool,
) -> None:
    if before:
        meanwhile(reconnect)
        assert not refresh(due)
    else:
        refresh(due)
        reconnect()
    due.refresh_from_db()
    assert open_credentials(due)["refresh"] == "of the new sign-in"
    assert (due.state, due.problem, due.refresh_at, due.refreshing_until) == ("connected", "", None, None)


@in_a_transaction_of_its_own
def test_an_account_that_is_removed_while_its_token_is_traded_stays_forgotten(
    clock: Clock,
    due: Account,
    answered: None,
    alice: Member,
    meanwhile: Callable[[Callable[[], None]], None],
) -> None:
    meanwhile(lambda: services.remove(account=Account.objects.get(pk=due.pk), by=alice))
    assert not refresh(due)
    due.refresh_from_db()
    assert (due.state, bytes(due.sealed_credentials), due.problem) == ("removed", b"", "")
    assert (due.refresh_at, due.refreshing_until) == (None, None)
    assert not Notice.objects.exists()


@in_a_transaction_of_its_own
def test_a_look_with_the_old_token_says_nothing_of_a_new_sign_in(due: Account, reconnect: Callable[[], None]) -> None:
    tried = Account.objects.get(pk=due.pk)
    reconnect()
    services.disconnect(tried, SignInAgain("Dead."))
    due.refresh_from_db()
    assert (due.state, Notice.objects.count()) == ("connected", 0)


@in_a_transaction_of_its_own
def test_a_check_says_what_the_network_says(owner: Client, mastodon_account: Account, mastodon: Sandbox) -> None:
    check = f"{HERE}/{mastodon_account.pk}/check/"
    assert "knows this account" in owner.post(check, follow=True).text
    mastodon.will_answer(503, times=3)
    trouble = owner.post(check, follow=True)
    mastodon_account.refresh_from_db()
    assert mastodon_account.state == "connected"
    assert mastodon_account.problem
    assert "trouble" in trouble.text or "later" in trouble.text
    mastodon.faults.waiting.clear()
    mastodon.will_answer(401)
    assert "Needs reconnecting" in owner.post(check, follow=True).text


@in_a_transaction_of_its_own
def test_an_account_whose_key_is_lost_asks_to_be_connected_again(mastodon_account: Account) -> None:
    Account.objects.update(sealed_credentials=Sealer([b"x" * 32]).seal_json({}, context="elsewhere"))
    asyncio.run(services.check_health(Account.objects.get()))
    mastodon_account.refresh_from_db()
    assert mastodon_account.state == "broken"
    assert "sealing key" in mastodon_account.problem


@in_a_transaction_of_its_own
def test_a_pause_is_kept_and_taken_back(owner: Client, mastodon_account: Account) -> None:
    owner.post(f"{HERE}/{mastodon_account.pk}/pause/")
    mastodon_account.refresh_from_db()
    assert mastodon_account.state == "paused"
    owner.post(f"{HERE}/{mastodon_account.pk}/resume/")
    mastodon_account.refresh_from_db()
    assert mastodon_account.state == "connected"
    Account.objects.update(state="broken")
    owner.post(f"{HERE}/{mastodon_account.pk}/resume/")
    mastodon_account.refresh_from_db()
    assert mastodon_account.state == "broken"  # only a sign-in repairs it


@in_a_transaction_of_its_own
def test_removing_revokes_the_token_and_keeps_the_row(
    owner: Client, bluesky_account: Account, bluesky: Sandbox
) -> None:
    tokens = len(bluesky.network.state.tokens)
    answer = owner.post(f"{HERE}/{bluesky_account.pk}/remove/")
    assert answer.headers["Location"] == f"{HERE}/"
    bluesky_account.refresh_from_db()
    assert (bluesky_account.state, bytes(bluesky_account.sealed_credentials)) == ("removed", b"")
    assert len(bluesky.network.state.tokens) < tokens
    assert owner.get(f"{HERE}/{bluesky_account.pk}/").status_code == 404


@in_a_transaction_of_its_own
def test_removing_does_not_wait_for_a_network_that_is_away(
    owner: Client, mastodon_account: Account, mastodon: Sandbox
) -> None:
    mastodon.will_answer(500, times=5)
    owner.post(f"{HERE}/{mastodon_account.pk}/remove/")
    mastodon_account.refresh_from_db()
    assert mastodon_account.state == "removed"


def test_a_removed_account_can_be_connected_afresh(make_account: Callable[..., Account]) -> None:
    make_account(remote_id="1", state="removed")
    assert make_account(remote_id="1").pk


def test_credentials_cannot_be_read_in_the_database(make_account: Callable[..., Account]) -> None:
    account = make_account()
    seal_credentials(account, {"access_token": "very-secret-token"})
    account.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_account::text FROM accounts_account")
        (row,) = cursor.fetchone()
    assert "very-secret-token" not in row
    assert b"very-secret-token".hex() not in row
    assert open_credentials(Account.objects.get()) == {"access_token": "very-secret-token"}


def test_credentials_copied_to_another_account_do_not_open(make_account: Callable[..., Account]) -> None:
    mine, theirs = make_account(), make_account()
    seal_credentials(mine, {"access_token": "x"})
    theirs.sealed_credentials = mine.sealed_credentials
    with pytest.raises(CannotOpen):
        open_credentials(theirs)


def test_one_changed_bit_does_not_open() -> None:
    sealer = Sealer([b"k" * 32])
    sealed_value = bytearray(sealer.seal(b"secret", context="here"))
    sealed_value[-1] ^= 1
    with pytest.raises(CannotOpen):
        sealer.open(bytes(sealed_value), context="here")


def test_a_new_key_seals_everything_again(
    make_account: Callable[..., Account], alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = b"o" * 32, b"n" * 32
    keys = [old]
    ours = Sealer([old], lambda: keys)
    for module in ("regie.accounts.opening", "regie.accounts.services", "regie.people.adapter"):
        monkeypatch.setattr(f"{module}.sealer", lambda: ours)
    account = make_account()
    seal_credentials(account, {"access_token": "x"})
    account.save()
    code = MFAAdapter().encrypt("JBSWY3DP")
    second_step = Authenticator.objects.create(user=alice.user, type="totp", data={"secret": code})

    keys[:] = [new, old]
    ours = Sealer(keys)
    assert services.seal_everything_again() == 2
    assert services.seal_everything_again() == 0
    ours = Sealer([new])
    assert open_credentials(Account.objects.get()) == {"access_token": "x"}
    second_step.refresh_from_db()
    assert MFAAdapter().decrypt(second_step.data["secret"]) == "JBSWY3DP"


def test_a_running_process_learns_a_key_that_another_one_made() -> None:
    keys = [b"o" * 32]
    running = Sealer(list(keys), lambda: keys)
    keys.insert(0, b"n" * 32)
    value = Sealer(keys).seal(b"fresh", context="c")
    assert running.open(value, context="c") == b"fresh"
    assert running.is_current(value)
    with pytest.raises(CannotOpen):
        running.open(Sealer([b"z" * 32]).seal(b"stranger", context="c"), context="c")


def test_the_key_is_for_its_owner_only_and_made_once_by_two_processes(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "sealing"
    code = (
        "import sys; from pathlib import Path; from regie.core.sealed import keys_of; "
        "print(keys_of(Path(sys.argv[1]), None))"
    )
    starts = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = {start.communicate(timeout=60)[0] for start in starts}
    assert len(said) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert said == {f"{keys_of(path, None)}\n"}


def test_a_key_that_somebody_makes_at_this_very_moment_is_ours_too(tmp_path: Path) -> None:
    class Late(type(tmp_path)):  # type: ignore[misc]  # the kind of path that this system has
        """Not there when it is looked for, and made by another process right after."""

        def exists(self) -> bool:
            there = super().exists()
            keys_of(Path(self), None)
            return bool(there)

    found = keys_of(Late(tmp_path / "sealing"), None)
    assert len(found) == 1
    assert found == keys_of(tmp_path / "sealing", None)


def test_a_key_from_the_environment_needs_no_file(tmp_path: Path) -> None:
    given = ",".join(base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    assert keys_of(tmp_path / "none", given) == [b"\x01" * 32, b"\x02" * 32]
    assert not (tmp_path / "none").exists()


def test_no_secret_is_in_what_is_said_of_a_login(make_account: Callable[..., Account]) -> None:
    from regie.accounts.opening import login_of

    account = make_account()
    seal_credentials(account, {"access_token": "very-secret-token"})
    assert "very-secret-token" not in repr(login_of(account))


@in_a_transaction_of_its_own
def test_only_quiet_accounts_are_checked(clock: Clock, mastodon_account: Account) -> None:
    from regie.accounts.queries import to_check

    assert to_check() == []
    clock.advance(hours=7)
    assert to_check() == [mastodon_account]
    Account.objects.update(state="paused")
    assert to_check() == []


@in_a_transaction_of_its_own
async def test_the_sweep_asks_for_each_account_once(clock: Clock, due: Account) -> None:
    from regie.accounts import tasks

    await tasks.refresh_tokens(0)
    await tasks.refresh_tokens(0)
    assert await in_thread(_jobs, "regie.accounts.tasks.refresh") == 1
    await sync_to_async(lambda: connection.close())()  # the queue wrote from a thread of its own


def _jobs(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s", [name])
        (count,) = cursor.fetchone()
    return int(count)


def test_when_to_refresh_leaves_a_fifth_of_its_life(clock: Clock, make_account: Callable[..., Account]) -> None:
    account = make_account("bluesky")
    ends = clock.moment + timedelta(hours=10)
    assert services._when_to_refresh(account, ends) == clock.moment + timedelta(hours=8)
    assert services._when_to_refresh(make_account("mastodon"), ends) is None


# Warned ahead


def _ends_in(account: Account, clock: Clock, days: float) -> None:
    Account.objects.filter(pk=account.pk).update(reconnect_by=clock.moment + timedelta(days=days))


def test_who_can_reconnect_is_warned_at_each_step_once(clock: Clock, account: Account, bob: Member) -> None:
    _ends_in(account, clock, 20)
    told = []
    for _day in range(21):
        services.warn_of_endings()
        services.warn_of_endings()
        told.append(Notice.objects.count())
        clock.advance(days=1)
    assert told[6:20] == [1] * 7 + [2] * 4 + [3] * 2 + [4]
    assert told[:6] == [0] * 6
    assert {notice.user.name for notice in Notice.objects.all()} == {"Alice"}
    assert Notice.objects.filter(urgent=True, kind="account.ending").count() == 4


def test_the_warning_leads_to_the_account_and_today_and_the_account_say_it(
    clock: Clock, account: Account, owner: Client
) -> None:
    _ends_in(account, clock, 5)
    services.warn_of_endings()
    notice = Notice.objects.get()
    with_day = notices.sentence(notice)
    assert "stops working on 6 March 2030 unless you connect it again" in with_day
    assert "stops working on 6 March 2030" in owner.get(f"/w/atelier-nord/{notice.path}").text
    assert "to be connected again by 6 March 2030" in owner.get("/w/atelier-nord/").text


def test_a_token_that_nothing_renews_says_until_when_it_works(clock: Clock, mastodon_account: Account) -> None:
    end = clock.moment + timedelta(days=60)
    services.store_token(mastodon_account, SignedIn(credentials={}, expires_at=end))
    assert (mastodon_account.refresh_at, mastodon_account.reconnect_by) == (None, end)


def test_a_token_that_is_renewed_warns_of_the_end_of_its_renewing_only(clock: Clock, due: Account) -> None:
    soon, end = clock.moment + timedelta(hours=2), clock.moment + timedelta(days=90)
    services.store_token(due, SignedIn(credentials={}, expires_at=soon))
    assert due.reconnect_by is None
    services.store_token(due, SignedIn(credentials={}, expires_at=soon, reconnect_by=end))
    assert due.reconnect_by == end
