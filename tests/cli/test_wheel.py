"""The built wheel, installed elsewhere, is the whole product: templates, static files, translations."""

from __future__ import annotations

import json
import re
import shutil
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from regie.cli.benchmarks.installation import Installation, wait_until_gone

pytestmark = pytest.mark.xdist_group("installation")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the checkout."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    for name in ("README.md", "LICENSE", "pyproject.toml", "hatch_build.py"):
        shutil.copy(ROOT / name, source / name)
    build = f"from hatchling.build import build_wheel; print(build_wheel({str(place)!r}))"
    ran = subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, text=True, check=True)
    return place / ran.stdout.split()[-1]


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Installation:
    """In an environment of its own, which borrows the dependencies of this one."""
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    mine = {str(path) for path in (ROOT, ROOT / "src")}
    borrowed = [path for path in site.getsitepackages() if path not in mine]
    (packages / "borrowed.pth").write_text("\n".join(borrowed))
    made = Installation(tmp_path)
    made.python = str(tmp_path / "venv" / "bin" / "python")
    return made


def test_the_wheel_holds_what_the_product_shows(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for app in (ROOT / "src" / "regie").iterdir():
        for po in app.glob("locale/*/LC_MESSAGES/django.po"):
            assert str(po.with_suffix(".mo").relative_to(ROOT / "src")) in names
        for kind in ("templates", "static"):
            for path in app.glob(f"{kind}/**/*"):
                assert path.is_dir() or str(path.relative_to(ROOT / "src")) in names
    assert "regie/py.typed" in names
    assert not [name for name in names if name.startswith("tests/") or "__pycache__" in name]


def test_what_was_installed_runs_and_speaks_french(installed: Installation) -> None:
    code = "import regie, json; print(json.dumps(regie.__file__))"
    where = subprocess.run(
        [installed.python, "-c", code], env=installed.environment(), capture_output=True, text=True, check=True
    )
    assert Path(json.loads(where.stdout)).is_relative_to(installed.folder)
    try:
        installed.start()
        with installed.open("/", **{"Accept-Language": "fr"}) as reply:
            page = reply.read().decode()
        assert "Bienvenue" in page
        styles = re.findall(r'href="(/static/[^"]+\.css)"', page)
        assert styles
        for style in styles:
            with installed.open(style) as reply:
                assert reply.status == 200
        assert installed.stop()[0] == 0
    finally:
        if installed.process is not None:
            installed.stop()
        wait_until_gone(installed)
