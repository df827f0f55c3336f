"""The wheel carries the suites: an installed kit works far from any checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages into which the wheel was unpacked, as pip unpacks it."""
    build = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(build), str(ROOT)]
    subprocess.run(pip, check=True, timeout=300)
    (wheel,) = build.glob("*.whl")
    site = build / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def test_it_explains_and_lists_its_cases_from_its_own_files(installed: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-P", "-m", "conformance.cli", "explain", "ETP-03"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "a node without a local endpoint drops external traffic" in done.stdout
    where = [sys.executable, "-P", "-c", "import conformance.kit as k; print(k.kit_root())"]
    root = subprocess.run(where, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    assert Path(root.strip()) == installed / "conformance" / "_kit"


def test_it_has_one_public_name_and_all_that_a_run_needs(installed: Path) -> None:
    top = {p.name for p in installed.iterdir() if not p.name.endswith(".dist-info")}
    assert top == {"conformance"}
    kit = installed / "conformance" / "_kit"
    data = ("reports/conformance.schema.json", "reports/catalogues/0.1.0.json", "reports/templates/page.js")
    code = ("conftest.py", "tox.ini", "fixtures/session.py", "reports/junit.py", "suites/nodeport/cases.py")
    for part in (*code, *data):
        assert (kit / part).is_file(), part
