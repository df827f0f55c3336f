"""The generated pages are current, and say what the suites and the coverage table say."""

from __future__ import annotations

import subprocess
import sys
from enum import Enum
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli.docs import docs
from conformance.errors import UsageError
from conformance.model.case import Case, Level, Matrix, cluster_ip, dial, on, pod, service
from conformance.model.outcome import Dropped
from conformance.spec.coverage import Row
from conformance.spec.sources import KEP, SERVICE_TYPE
from fixtures.catalogue import known_ids
from reports.catalogue import Chapter, catalogue, coverage

ROOT = Path(__file__).parents[2]


def called(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(docs, args, standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.return_value, result.output


def test_the_pages_are_current() -> None:
    assert called("--check") == (0, ""), "run `nftconform docs`"


def test_a_stale_page_is_named_in_one_sentence(tmp_path: Path) -> None:
    assert called("--output", str(tmp_path)) == (0, "")
    assert called("--check", "--output", str(tmp_path)) == (0, "")
    page = tmp_path / "coverage.md"
    page.write_text(page.read_text() + "by hand\n")
    code, said = called("--check", "--output", str(tmp_path))
    assert code == 1
    assert said == f"coverage.md in {tmp_path}: stale, run `nftconform docs`.\n"
    page.unlink()
    (tmp_path / "catalogue.md").write_text("")
    code, said = called("--check", "--output", str(tmp_path))
    assert code == 1
    assert said == f"catalogue.md and coverage.md in {tmp_path}: stale, run `nftconform docs`.\n"
    names = ["0.1.0.json", "catalogue.md", "causes.md", "facts.md", "faults.md", "preflight.md"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names


def test_without_a_folder_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no folder"):
        called("--output", str(tmp_path / "none"))


def test_the_command_line_knows_it() -> None:
    command = [sys.executable, "-m", "conformance.cli", "docs", "--check"]
    assert subprocess.run(command, cwd=ROOT, check=False, timeout=60).returncode == 0


def test_every_case_and_matrix_has_its_anchor() -> None:
    page = (ROOT / "docs" / "catalogue.md").read_text()
    assert [one for one in sorted(known_ids()) if f'<a id="{one.lower()}"></a>{one} |' not in page] == []


class Wrong(Enum):
    ONE = "it is lost | found"
    TWO = "it is late"


CASE = Case(
    id="CIP-01",
    promise="A pod reaches\n  every endpoint.",
    level=Level.MUST,
    sources=(SERVICE_TYPE, KEP(3866)),
    catches=(Wrong.ONE, Wrong.TWO),
    given=service(endpoints=on("a")),
    when=dial(cluster_ip(), client=pod("a")),
    then=Dropped(),
)
MATRIX = Matrix(
    id="CIPM",
    promise="Every client.",
    services=(service(endpoints=on("a")), service(endpoints=on())),
    destinations=(cluster_ip(),),
    sources=(SERVICE_TYPE,),
)


def test_the_catalogue_tells_everything_of_a_case_and_a_matrix() -> None:
    lines = catalogue([Chapter("clusterip", (CASE,), (MATRIX,), {"CIP-01": 4, "CIPM": 1200})]).splitlines()
    assert "1 cases and 1 matrices: 1,204 cells in the lab." in lines
    assert "| [clusterip](#clusterip) | 1 | 1 | 1,204 |" in lines
    sources = "`service.spec.type`, [KEP-3866](https://kep.k8s.io/3866)"
    faults = "it is lost \\| found; it is late"
    told = f"A pod reaches every endpoint. | MUST | core | {sources} | {faults}"
    assert f'| <a id="cip-01"></a>CIP-01 | {told} |' in lines
    assert '| <a id="cipm"></a>CIPM | Every client. | MUST | core | `service.spec.type` | 2 | 1,200 |' in lines


def test_coverage_counts_only_what_the_lab_asks() -> None:
    rows = (
        Row("A01", "path", "one", unique=True),
        Row("A02", "path", "two | three"),
        Row("A03", "path", "four", unchecked="No nodes."),
        Row("B01", "ports", "five", unique=True),
    )
    lines = coverage(rows, {"A01": ["X-01", "X-02"], "A02": ["X-02"]}, {"X-01"}).splitlines()
    assert "1 of 4 behaviours of Services have a case that runs in the lab." in lines
    assert "\N{BLACK STAR} marks what none of the five checks: of those, 1 of 2 have a case here." in lines
    assert "| A path | 1 of 3 | 1 |" in lines
    assert "| B ports | 0 of 1 | 1 |" in lines
    assert "| **all** | **1 of 4** | **2** |" in lines
    off = "[X-02](catalogue.md#x-02) (not in the lab)"
    assert f"| A01 | one | \N{BLACK STAR} | [X-01](catalogue.md#x-01), {off} |" in lines
    assert f"| A02 | two \\| three |  | {off} |" in lines
    assert "| A03 | four |  | No nodes. |" in lines
    assert "| B01 | five | \N{BLACK STAR} | no case, and no reason why |" in lines
