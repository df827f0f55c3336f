"""Every published report is where it belongs, and is what its results come to."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conformance.certify.catalogue import Catalogue
from conformance.certify.report import folder_of
from conformance.certify.verifying import compare, verify
from conformance.errors import KitError
from fixtures.catalogue import areas
from reports import conformance
from reports.catalogues import known
from reports.results_file import weigh
from tests.certify.runs import KNOWN, report_on, run_of, written
from tests.here import here

PUBLISHED = Path(__file__).parents[2] / "reports" / "published"
FILES = {"report.yaml", "results.jsonl.gz"}


def complaints(published: Path, catalogues: Mapping[str, Catalogue]) -> Iterator[str]:
    """Of the whole folder, each with the place that it is of."""
    folders = sorted({path.parent for path in published.rglob("*") if path.is_file()} - {published})
    for folder in folders:
        place = folder.relative_to(published).as_posix()
        if {path.name for path in folder.iterdir()} != FILES:
            yield f"{place}: holds other files than {' and '.join(sorted(FILES))}."
            continue
        yield from (f"{place}: {one}" for one in _wrong(folder, place, catalogues))


def _wrong(folder: Path, place: str, catalogues: Mapping[str, Catalogue]) -> Iterator[str]:
    reading = conformance.load(folder / "report.yaml")
    yield from reading.complaints
    if reading.report is None:
        return
    if folder_of(reading.report.implementation) != place:
        yield f"It belongs in {folder_of(reading.report.implementation)}."
    yield from verify(reading.report, catalogues, datetime.now(UTC))
    try:
        held = weigh(folder / "results.jsonl.gz")
    except KitError as error:
        yield error.cause
        return
    yield from compare(reading.report, held.run, held.lines, held.sha256, catalogues)


def test_all_that_is_published_is_to_be_believed() -> None:
    assert list(complaints(PUBLISHED, known())) == []
    assert {path.name for path in PUBLISHED.iterdir() if path.is_file()} == {"README.md"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a healthy run of every case."""
    return written(run_of(of=areas()), tmp_path_factory.mktemp("whole"))


Command = Callable[..., tuple[int, str]]


@pytest.fixture
def nftconform(tmp_path: Path) -> Command:
    """The command in a folder of its own: exit code, and all that it says."""

    def run(*arguments: str) -> tuple[int, str]:
        done = here(*arguments, cwd=tmp_path)
        return done.returncode, done.stdout + done.stderr

    return run


ABOUT = (
    *("--organization", "Acme", "--project", "net", "--url", "https://acme.example"),
    *("--version", "v1.2.3", "--contact", "@acme/net"),
)


def test_what_a_vendor_types_ends_in_a_report_that_is_taken(whole: Path, tmp_path: Path, nftconform: Command) -> None:
    made = nftconform("report", str(whole), "--format", "conformance", *ABOUT, "--output", "report.yaml")
    assert made == (0, "")
    packed = tmp_path / "results.jsonl.gz"
    packed.write_bytes(gzip.compress(whole.read_bytes()))
    done = nftconform("verify-report", "report.yaml", "--results", "results.jsonl.gz")
    assert done == (
        0,
        "report.yaml: nothing is wrong with it: core success, extended success, kube-proxy-nftables success, "
        "cni success. It belongs in acme-net/v1.2.3.\n",
    )


def test_what_is_published_is_looked_at_file_by_file(tmp_path: Path) -> None:
    content = written(run_of(), tmp_path / "out").read_bytes()
    folder = tmp_path / "published" / "acme-net" / "v1.2.3"
    folder.mkdir(parents=True)
    report, results = folder / "report.yaml", folder / "results.jsonl.gz"
    report.write_bytes(conformance.document(report_on(run_of(), hashlib.sha256(content).hexdigest())))
    results.write_bytes(gzip.compress(content))

    def said() -> list[str]:
        return list(complaints(tmp_path / "published", KNOWN))

    assert said() == []
    report.write_text(report.read_text().replace("organization: Acme", "organization: Evil"))
    assert said() == ["acme-net/v1.2.3: It belongs in evil-net/v1.2.3."]
    results.write_bytes(results.read_bytes()[:-100])
    assert [one for one in said() if "cannot be read: Compressed file ended" in one]
    report.write_text("- a\n")
    assert said() == ["acme-net/v1.2.3: The report is no mapping."]
    results.unlink()
    assert said() == ["acme-net/v1.2.3: holds other files than report.yaml and results.jsonl.gz."]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("report", "R", "--format", "conformance"), 3, "A conformance report needs --organization, --project, --url"),
        (("report", "R", "--format", "junit", *ABOUT), 3, "--format junit does not say --organization. Leave it out."),
        (("report", "R", "--format", "pdf"), 3, "There is no format pdf. Name one of junit"),
        (
            ("report", "R", "--format", "conformance", *ABOUT, "--url", "acme.example"),
            3,
            "not of its schema at $.implementation.url",
        ),
        (("verify-report", "none.yaml"), 3, "none.yaml cannot be read: No such file or directory."),
        (("verify-report", "bad.yaml"), 1, "The report is no mapping."),
        (("verify-report", "good.yaml", "--results", "none"), 3, "none cannot be read: No such file or directory."),
        (("verify-report", "good.yaml", "--results", "bad.yaml"), 3, "bad.yaml holds no results"),
        (("verify-report", "other.yaml"), 1, "Profile core says failure; its numbers come to"),
    ],
)
def test_the_command_says_what_is_wrong(
    arguments: tuple[str, ...], code: int, sentence: str, tmp_path: Path, nftconform: Command
) -> None:
    results = written(run_of(), tmp_path / "out")
    (tmp_path / "bad.yaml").write_text("- a\n")
    good = conformance.document(report_on(run_of(), known=known()["0.1.0"]))
    (tmp_path / "good.yaml").write_bytes(good)
    (tmp_path / "other.yaml").write_bytes(good.replace(b"result: partial", b"result: failure", 1))
    ended, said = nftconform(*(str(results) if word == "R" else word for word in arguments))
    assert ended == code
    assert sentence in said
