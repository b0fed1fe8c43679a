#!/usr/bin/env python3
"""Install, or check for, the real servers the tests talk to: see tests/real_servers/install.py."""

import runpy
from pathlib import Path

if __name__ == "__main__":
    runpy.run_path(
        str(Path(__file__).resolve().parents[1] / "tests" / "real_servers" / "install.py"), run_name="__main__"
    )
