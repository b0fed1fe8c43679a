"""``regie bench``: a benchmark is asked for by name, with options of its own."""

from __future__ import annotations

import json

import pytest

from regie.cli.main import main


@pytest.mark.parametrize("given", [[], ["list"], ["--json"], ["list", "--json"], ["--json", "list"]])
def test_every_benchmark_says_its_budget(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *given]) == 0
    said = capsys.readouterr().out
    assert "page usable in <= 10 s" in said
    if "--json" in given:
        assert {"start", "memory"} <= json.loads(said)["benchmarks"].keys()


def test_an_unknown_benchmark_is_answered_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "speed"]) == 1
    assert "start" in capsys.readouterr().err


def test_an_option_that_a_benchmark_does_not_have_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "start", "--deliveries", "3"])
    assert "--deliveries" in capsys.readouterr().err


def test_help_for_one_benchmark_says_its_budget(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "start", "--help"])
    assert ended.value.code == 0
    assert "page usable in <= 10 s" in capsys.readouterr().out
