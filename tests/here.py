"""The command line in this process: to start another takes a second, which few promises are about."""

from __future__ import annotations

import io
import subprocess
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

from conformance.cli import called


def here(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """What ``nftconform`` with these arguments says and exits with, started in ``cwd``.

    Only for commands that start no program whose words would be theirs, and neither become one nor run pytest.
    """
    out, err = io.BytesIO(), io.BytesIO()
    said, complained = (io.TextIOWrapper(into, "utf-8", write_through=True) for into in (out, err))
    with chdir(cwd), redirect_stdout(said), redirect_stderr(complained):
        code = called(arguments)
    return subprocess.CompletedProcess(arguments, code, out.getvalue().decode(), err.getvalue().decode())
