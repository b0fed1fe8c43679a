"""A start that cannot work: a sentence that says what to do, exit code 1, and no stack trace."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from regie.cli.benchmarks.installation import Installation


def refused(ended: subprocess.CompletedProcess[str]) -> str:
    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_a_port_in_use(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", installation.port)):
        said = refused(installation.run("up"))
    assert f"Port {installation.port} on 127.0.0.1 cannot be used" in said
    assert f"REGIE_PORT={installation.port + 1}" in said
    assert not (installation.data / "postgres").exists()  # nothing was begun


def test_a_port_in_use_by_the_web_role_alone(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", installation.port)):
        assert "cannot be used" in refused(installation.run("web"))


def test_a_data_folder_that_is_a_file(installation: Installation) -> None:
    installation.data.write_text("")
    assert "Choose another folder with REGIE_DATA" in refused(installation.run("up"))


def test_the_doctor_of_an_empty_folder_says_how_to_begin_and_makes_no_database(installation: Installation) -> None:
    ended = installation.run("doctor")
    assert ended.returncode == 0, ended.stderr
    assert "Run: regie up" in ended.stdout
    assert not (installation.data / "postgres").exists()


def test_a_host_that_is_not_ours(installation: Installation) -> None:
    assert "REGIE_" in refused(installation.run("up", REGIE_HOST="no.such.host.invalid"))


def test_a_setting_that_cannot_be(installation: Installation) -> None:
    said = refused(installation.run("up", REGIE_PORT="many"))
    assert "REGIE_PORT" in said


def test_a_setting_that_is_wrong_does_not_show_secrets(installation: Installation) -> None:
    said = refused(installation.run("up", REGIE_PORT="many", REGIE_SECRET_KEY="a-secret-that-nobody-reads"))
    assert "a-secret" not in said


def test_a_database_that_nobody_serves(installation: Installation) -> None:
    said = refused(installation.run("up", DATABASE_URL="postgresql://me:hush-hush@127.0.0.1:1/regie"))
    assert "DATABASE_URL cannot be reached" in said
    assert "hush" not in said


@pytest.mark.parametrize("size", ["100k", "30m"])
def test_a_full_disk(installation: Installation, size: str) -> None:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("Only root can make a small disk.")
    installation.data.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", installation.data], check=False)
    if mounted.returncode:
        pytest.skip("This machine allows no mounts.")
    try:
        said = refused(installation.run("up"))
        assert "disk" in said.lower()
        assert "free" in said.lower()
    finally:
        subprocess.run(["umount", "--lazy", installation.data], check=True)


def test_a_data_folder_that_may_not_be_written(tmp_path: Path) -> None:
    place = Installation(tmp_path, REGIE_DATA="/proc/regie")
    assert "Choose another folder with REGIE_DATA" in refused(place.run("up"))
