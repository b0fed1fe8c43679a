"""Compiles the translations into the wheel: strangers have no msgfmt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polib
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Translations(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        for path in Path(self.root).glob("src/regie/*/locale/*/LC_MESSAGES/django.po"):
            made = path.with_suffix(".mo")
            polib.pofile(str(path)).save_as_mofile(str(made))
            build_data["artifacts"].append(str(made.relative_to(self.root)))
