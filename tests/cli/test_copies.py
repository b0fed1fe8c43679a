"""A backup of a running installation, a post that goes out after it, and a restore that never sends it twice."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regie.cli.benchmarks.installation import Installation, wait_until_gone
from regie.core import embedded
from regie_sandbox.frame import World
from regie_sandbox.registry import network
from regie_sandbox.server import in_thread

pytestmark = pytest.mark.xdist_group("installation")

FILL = """
import json
from pathlib import Path
from regie.accounts.services import connect
from regie.accounts.talk import talk
from regie.networks import registry
from regie.networks.data import Login, SignedIn
from regie.people.services import create_first_owner
alice = create_first_owner(email="alice@example.org", name="Alice", password="une phrase assez longue",
    workspace="Atelier Nord", zone="Europe/Paris", language="fr")
ready = json.loads(Path({ready!r}).read_text())
login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"],
    limits=ready.get("limits", {{}}))
speaker = registry.connector("mastodon")
profile = talk(lambda http: speaker(http, login).whoami())
connect(network="mastodon", profile=profile, signed_in=SignedIn(credentials=ready["credentials"], profiles=(profile,)),
    by=alice)
"""
PLAN = """
from datetime import timedelta
from regie.accounts.models import Account
from regie.core import clock
from regie.core.times import WallTime
from regie.people.models import Member
from regie.publishing import services
from regie.studio.content import Content, Part
from regie.studio.models import Post, Variant
account, alice = Account.objects.get(), Member.objects.get()
for text, later in (("Good morning", timedelta(seconds=1)), ("In a week", timedelta(days=7))):
    content = Content(parts=[Part(text=text)]).as_json()
    post = Post.objects.create(workspace=alice.workspace, content=content, author=alice.user)
    Variant.objects.create(post=post, account=account)
    services.schedule(post=post, at=WallTime.at(clock.now() + later, "Europe/Paris"), by=alice)
"""
PUBLISH = """
from regie.publishing.engine.publisher import publish_due
publish_due()
"""
STATES = """
import json
from regie.publishing.models import Delivery, Freeze, Installation
print(json.dumps({
    "states": list(Delivery.objects.order_by("due_at").values_list("state", flat=True)),
    "holds": list(Delivery.objects.order_by("due_at").values_list("holds", flat=True)),
    "links": list(Delivery.objects.order_by("due_at").values_list("remote_id", flat=True)),
    "frozen": Freeze.objects.filter(lifted_at=None).count(),
    "installation": str(Installation.objects.get().key),
}))
"""
LIFT = """
from regie.people.models import User
from regie.publishing.models import Freeze
from regie.publishing.services import lift
lift(Freeze.objects.get(lifted_at=None), by=User.objects.get())
"""
TOKEN = """
from regie.accounts.models import Account
from regie.accounts.opening import open_credentials
open_credentials(Account.objects.get())
"""


@pytest.fixture(scope="module")
def mastodon_world() -> Iterator[Any]:
    world = World(seed=7)
    network("mastodon", world)
    with in_thread(world) as running:
        yield running


def empty_place(folder: Path, source: Installation, **more: str) -> Installation:
    """Another installation, never started; its static files are there already, as compressing them takes seconds."""
    made = Installation(folder)
    made.more = {**source.more, **more}
    shutil.copytree(source.data / "static", made.data / "static")
    return made


def shell(made: Installation, code: str) -> str:
    ended = made.run("manage", "shell", "--no-imports", "-c", code)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def states(made: Installation, after: str = "") -> dict[str, Any]:
    """What became of the deliveries, in the order of their hours, after that code ran there."""
    found: dict[str, Any] = json.loads(shell(made, after + STATES).splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def source(mastodon_world: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An owner with an account on the sandbox, and two posts: one due in a second, one in a week."""
    folder = tmp_path_factory.mktemp("source")
    base = mastodon_world.base["mastodon"]
    made = Installation(folder, REGIE_ALLOWED_HOSTS_OUT=base.removeprefix("http://"), REGIE_PASSPHRASE="un deux trois")
    ready = folder / "ready.json"
    ready.write_text(json.dumps(mastodon_world.world.networks["mastodon"].ready_account()))
    assert made.run("setup").returncode == 0
    with embedded.ensure(made.data):  # kept running between the commands
        shell(made, FILL.format(ready=str(ready)) + PLAN)
        yield made
    wait_until_gone(made)


def ledger(running: Any) -> list[str]:
    texts: list[str] = running.world.networks["mastodon"].texts()
    return texts


def test_what_went_out_after_the_backup_does_not_go_out_again(
    source: Installation, mastodon_world: Any, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.zip"
    made = source.run("backup", str(copy), "--with-key")
    assert made.returncode == 0, made.stderr
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    sent = states(source, PUBLISH)
    assert sent["states"] == ["published", "scheduled"]
    assert ledger(mastodon_world) == ["Good morning"]

    target = empty_place(tmp_path / "target", source)
    restored = target.run("restore", str(copy))
    assert restored.returncode == 0, restored.stderr
    assert "Everything is frozen" in restored.stderr
    before = states(target)
    assert before["installation"] != sent["installation"]
    assert before["frozen"] == 1
    assert before["states"] == ["unclear", "held"]

    looked = states(target, PUBLISH)  # looks, finds it on the network, sends nothing
    assert looked["states"] == ["published", "held"]
    assert looked["links"][0] == sent["links"][0]
    assert states(target, LIFT + PUBLISH)["states"] == ["published", "scheduled"]
    assert ledger(mastodon_world) == ["Good morning"]
    wait_until_gone(target)


def test_a_restore_fills_an_empty_place_only(source: Installation, tmp_path: Path) -> None:
    copy = tmp_path / "copy.zip"
    assert source.run("backup", str(copy)).returncode == 0
    ended = source.run("restore", str(copy))
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert states(source)["frozen"] == 0


def test_a_backup_without_the_key_says_so_and_where_to_put_it(source: Installation, tmp_path: Path) -> None:
    copy = tmp_path / "copy.zip"
    made = source.run("backup", str(copy))
    assert "It does not hold the sealing key" in made.stderr
    target = empty_place(tmp_path / "target", source)
    ended = target.run("restore", str(copy))
    assert ended.returncode == 0, ended.stderr
    key = target.data / "sealing_key"
    assert f"Put the sealing key of the old installation at {key}" in ended.stderr
    key.write_text((source.data / "sealing_key").read_text())
    key.chmod(0o600)
    shell(target, TOKEN)
    wait_until_gone(target)


def test_a_wrong_passphrase_restores_nothing(source: Installation, tmp_path: Path) -> None:
    copy = tmp_path / "copy.zip"
    assert source.run("backup", str(copy), "--with-key").returncode == 0
    target = empty_place(tmp_path / "target", source, REGIE_PASSPHRASE="quatre")
    ended = target.run("restore", str(copy))
    assert ended.returncode == 1
    assert "passphrase" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (target.data / "sealing_key").exists()
    wait_until_gone(target)


def test_a_restore_cut_off_before_the_freeze_is_finished_by_the_next_start(
    source: Installation, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.zip"
    assert source.run("backup", str(copy), "--with-key").returncode == 0
    target = empty_place(tmp_path / "target", source)
    static = target.data / "static"
    static.rename(tmp_path / "static")
    static.write_text("in the way")  # what comes after the data fails
    assert target.run("restore", str(copy)).returncode != 0
    static.unlink()
    (tmp_path / "static").rename(static)

    ended = target.run("publisher")
    assert ended.returncode == 1
    assert "Run `regie setup`, which finishes it." in ended.stderr
    assert target.run("setup").returncode == 0
    found = states(target)
    assert found["frozen"] == 1
    assert not {"scheduled"} & set(found["states"])
    wait_until_gone(target)


def test_rotated_keys_open_everything_that_was_sealed_before(source: Installation) -> None:
    file = source.data / "sealing_key"
    before = file.read_text().split()
    ended = source.run("keys", "rotate")
    assert ended.returncode == 0, ended.stderr
    assert file.read_text().split()[1:] == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text(file.read_text().split()[0] + "\n")  # the new key alone opens all
    shell(source, TOKEN)


def test_a_key_of_the_environment_is_not_rotated_behind_its_back(source: Installation) -> None:
    ended = source.run("keys", "rotate", REGIE_SEALING_KEY="dGVzdHMgb25seSB0ZXN0cyBvbmx5IHRlc3RzIG9ubHk=")
    assert ended.returncode == 1
    assert "put a new one" in ended.stderr


def test_the_doctor_finds_what_is_wrong(source: Installation) -> None:
    good = json.loads(source.run("doctor", "--json").stdout)["findings"]
    assert not [one for one in good if one["verdict"] == "bad"]
    assert {one["about"] for one in good} >= {"data", "address", "e-mail", "database", "publisher"}

    (source.data / "sealing_key").chmod(0o644)
    try:
        ended = source.run("doctor", REGIE_URL="http://regie.example.org")
    finally:
        (source.data / "sealing_key").chmod(0o600)
    assert ended.returncode == 1
    assert "is not https" in ended.stdout
    assert "chmod 600" in ended.stdout


def test_the_doctor_sees_a_key_that_opens_nothing(source: Installation) -> None:
    ended = source.run("doctor", REGIE_SEALING_KEY="dGVzdHMgb25seSB0ZXN0cyBvbmx5IHRlc3RzIG9ubHk=")
    assert ended.returncode == 1
    assert "Put the old sealing key back" in ended.stdout


def test_no_command_said_a_secret(source: Installation, tmp_path: Path) -> None:
    ready = json.loads((source.folder / "ready.json").read_text())
    secrets = [*map(str, ready["credentials"].values()), *(source.data / "sealing_key").read_text().split()]
    secrets += [(source.data / "postgres" / "password").read_text().strip(), "un deux trois"]
    said = ""
    for command in (["doctor"], ["networks"], ["backup", str(tmp_path / "copy.zip"), "--with-key"], ["setup"]):
        ended = source.run(*command, REGIE_LOG_LEVEL="DEBUG")
        said += ended.stdout + ended.stderr
    assert said
    assert not [secret for secret in secrets if len(secret) > 7 and secret in said]


def test_what_networks_can_do_is_told_to_programs(tmp_path: Path) -> None:
    told = json.loads(Installation(tmp_path).run("networks", "--json").stdout)["networks"]
    assert {one["slug"] for one in told} >= {"mastodon", "bluesky", "telegram"}
    assert all(one["text"] > 0 and "publish" in one["offers"] for one in told)
