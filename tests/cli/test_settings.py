"""What an operator can set is what the guide says, and the addresses, cookies and first start that follow from it."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage, get_connection
from django.test import Client
from pydantic import SecretStr

from regie.config.env import Env, NetworkEnv
from regie.config.first_start import setup_code
from regie.config.logs import OneLine
from regie.config.mail import django_settings

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "operate.md"
OURS = {"REGIE_EMBEDDED_URL", "REGIE_ROLE"}  # set by the product for its own processes


def names() -> set[str]:
    found = {f"REGIE_{name.upper()}" for name in Env.model_fields if name not in ("networks", "database_url")}
    return found | {"DATABASE_URL"} | {f"REGIE_NETWORKS__<NETWORK>__{name.upper()}" for name in NetworkEnv.model_fields}


def test_the_guide_lists_every_setting_and_no_other() -> None:
    table = GUIDE.read_text().split("## Settings")[1].split("\n## ")[0]
    assert set(re.findall(r"`((?:REGIE_[A-Z0-9_<>]+|DATABASE_URL))`", table)) == names() - OURS


def test_the_guide_says_the_defaults() -> None:
    table = GUIDE.read_text().split("## Settings")[1].split("\n## ")[0]
    env = Env()
    for name in ("port", "host", "web_workers", "web_threads", "publisher_connections", "worker_concurrency"):
        line = next(line for line in table.splitlines() if f"REGIE_{name.upper()}`" in line)
        assert f"`{getattr(env, name)}`" in line, name


def settings_under(**environment: str) -> dict[str, Any]:
    """Django's settings in a process with that environment."""
    wanted = (
        "ALLOWED_HOSTS",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_HSTS_SECONDS",
        "SETUP_CODE",
        "CSRF_TRUSTED_ORIGINS",
    )
    code = (
        "import json; from regie.config import settings as s;"
        f"print(json.dumps({{n: getattr(s, n) for n in {wanted}}} | "
        '{"proxy": getattr(s, "SECURE_PROXY_SSL_HEADER", None)}))'
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("REGIE_", "DJANGO_"))}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=kept | {"REGIE_SECRET_KEY": "tests only"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_https_makes_cookies_secure_and_only_that_host_allowed() -> None:
    found = settings_under(REGIE_URL="https://regie.example.org/", REGIE_TRUST_PROXY="true")
    assert found["ALLOWED_HOSTS"] == ["regie.example.org"]
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://regie.example.org"]
    assert found["SESSION_COOKIE_SECURE"] is found["CSRF_COOKIE_SECURE"] is True
    assert found["SECURE_HSTS_SECONDS"] > 30_000_000
    assert found["proxy"] == ["HTTP_X_FORWARDED_PROTO", "https"]


def test_on_this_machine_nothing_of_that_is_on() -> None:
    found = settings_under()
    assert found["SESSION_COOKIE_SECURE"] is False
    assert found["SECURE_HSTS_SECONDS"] == 0
    assert found["proxy"] is None
    assert found["SETUP_CODE"] == ""


@pytest.mark.parametrize(
    "environment",
    [
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"url": "https://regie.example.org"},
        {"url": "http://192.168.1.5:8000"},
    ],
)
def test_where_strangers_can_come_the_first_start_asks_for_a_code(environment: dict[str, Any]) -> None:
    code = setup_code(Env(secret_key=SecretStr("tests only"), **environment))
    assert re.fullmatch(r"[a-z2-7]{5}-[a-z2-7]{5}", code)
    assert code != setup_code(Env(secret_key=SecretStr("another"), **environment))


@pytest.mark.parametrize("environment", [{}, {"host": "::1"}, {"url": "http://localhost:9000"}])
def test_where_only_this_machine_can_come_it_does_not(environment: dict[str, Any]) -> None:
    assert setup_code(Env(secret_key=SecretStr("tests only"), **({"url": ""} | environment))) == ""


FORM = {
    "name": "Alice",
    "email": "alice@example.org",
    "password": "une phrase assez longue",
    "workspace": "Atelier Nord",
    "zone": "Europe/Paris",
    "language": "fr",
}


@pytest.mark.django_db
def test_only_who_has_read_the_console_becomes_the_owner(settings: Any) -> None:
    from regie.people.models import User

    settings.SETUP_CODE = "abcde-fghij"
    client = Client()
    assert b'name="code"' in client.get("/welcome/").content
    assert client.post("/welcome/", FORM).status_code == 422
    assert client.post("/welcome/", {**FORM, "code": "abcde-fghik"}).status_code == 422
    assert not User.objects.exists()
    assert client.post("/welcome/", {**FORM, "code": " ABCDE FGHIJ "}).status_code == 302
    assert User.objects.get().is_operator


@pytest.mark.parametrize(
    "said",
    [
        "could not connect to postgresql://regie:hush-hush-hush@db/regie",
        "POST https://api.telegram.org/bot123456:hush-hush-hush-hush-hush/sendMessage failed",
        "headers: {'Authorization': 'Bearer hush-hush-hush'}",
        'answer: {"access_token": "hush-hush-hush"}',
        "client_secret=hush-hush-hush&grant_type=x",
        "the key is my-own-hush-hush",
    ],
)
def test_what_looks_like_a_secret_is_struck_out_of_the_log(said: str) -> None:
    record = logging.LogRecord("regie", logging.ERROR, "", 0, said, None, None)
    line = OneLine(role="web", known=("my-own-hush-hush",)).format(record)
    assert "hush" not in line
    assert line.startswith("web ")


def test_a_traceback_is_one_line_of_the_log() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("regie", logging.ERROR, "", 0, "It failed.", None, sys.exc_info())
    line = OneLine(role="worker").format(record)
    assert line.count("\n") == 0
    assert "It failed. | Traceback" in line
    assert "ValueError: two | lines" in line


def test_the_demo_says_of_each_e_mail_one_line(caplog: pytest.LogCaptureFixture) -> None:
    backend = django_settings(Env(demo=True))["EMAIL_BACKEND"]
    mail = EmailMessage("“Linen” was refused", "A long\nletter", None, ["ines@atelier.example"])
    with caplog.at_level(logging.INFO):
        assert get_connection(backend).send_messages([mail]) == 1
    assert [record.getMessage() for record in caplog.records] == ["E-mail to ines@atelier.example: “Linen” was refused"]
    with_server = Env(demo=True, email_url=SecretStr("smtp://localhost"))
    assert "smtp" in django_settings(with_server)["EMAIL_BACKEND"]
