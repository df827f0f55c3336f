"""Where the suites, their plugins and the report writers are: in the wheel under ``_kit``, in a checkout beside us."""

from __future__ import annotations

import sys
from pathlib import Path

from conformance.errors import EnvironmentFault


def kit_root() -> Path:
    """The folder that holds ``suites``, ``fixtures``, ``reports``, ``conftest.py`` and pytest's settings.

    Raises `EnvironmentFault` when the installation is damaged.
    """
    package = Path(__file__).resolve().parent
    for root in (package / "_kit", package.parent):
        if (root / "suites").is_dir() and (root / "conftest.py").is_file():
            return root
    raise EnvironmentFault(
        f"The suites are missing beside {package}.", "Install nftconform again, or run it from a whole checkout."
    )


def put_on_path() -> Path:
    """Make ``suites``, ``fixtures`` and ``reports`` importable in this process, and say where they are."""
    root = kit_root()
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return root
