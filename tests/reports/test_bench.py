"""What is shown of a bench: tables, plots, a page, a comparison, and documentation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import lxml.etree
import pytest
from click.testing import CliRunner
from lxml import html

from conformance.cli import cli
from conformance.errors import UsageError
from conformance.kit import put_on_path
from conformance.measured.bench import dump
from conformance.measured.lines import Line, Load, Machine, Note, Under, Weight
from reports.bench import BEGIN, END
from reports.bench_file import load
from reports.bench_plots import drawn, plots
from reports.bench_tables import Numbers
from tests.measured.benches import bench, losing

HOSTILE = "<script>alert(1)</script>\x1b[31m| `x`"


@pytest.fixture(autouse=True)
def _on_path() -> None:
    put_on_path()


def file(folder: Path, name: str, factors: dict[str, float], seed: int, *, whole: bool = True, lossy: int = 0) -> Path:
    """A bench on disk, with all that somebody else could have put into it; something is lost in ``lossy`` rounds."""
    made = losing(bench(factors, seed, services=(100, 1000)), lossy)
    place = next(iter(factors))
    more: list[Line] = [
        Machine(place, {"cpu": HOSTILE}),
        Note(HOSTILE),
        Weight(place, 100, 1, "node-a", 12, 34),
        Load(place, 100, 1, Under.QUIET, 2.0, 5000, 0, 3),
    ]
    lines: list[Line] = [made.header, *made.lines, *more, *([made.footer] if made.footer and whole else [])]
    path = folder / name
    path.write_text("".join(f"{dump(line)}\n" for line in lines), "ascii")
    return path


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli, [str(one) for one in arguments], standalone_mode=False)
    assert done.exception is None, done.exception
    return done.return_value or 0, done.stdout, done.stderr


def test_the_terminal_shows_modes_beside_each_other_in_80_columns(tmp_path: Path) -> None:
    path = file(tmp_path, "b.jsonl", {"nftables": 1.1, "iptables": 1.6}, 1)
    _, out, _ = run("report", path, "--format", "summary")
    assert max(map(len, out.splitlines())) <= 80
    (row,) = (line for line in out.splitlines() if line.startswith("1,000 pod clusterip TCP"))
    assert row.endswith("lower")
    assert "\x1b[31m" not in out
    assert "2,500" in out


def test_markdown_and_the_page_hold_every_table_and_no_word_of_others_as_code(tmp_path: Path) -> None:
    path = file(tmp_path, "b.jsonl", {"nftables": 1.1, "iptables": 1.6}, 2)
    _, text, _ = run("report", path, "--format", "markdown")
    run("report", path, "--format", "html", "--output", tmp_path / "b.html")
    page = html.fromstring((tmp_path / "b.html").read_bytes())
    titles = [one.text for one in page.findall(".//h2")]
    assert titles
    assert all(f"### {title}" in text for title in titles)
    assert "<script" not in text
    assert not page.findall(".//script")
    assert len(page.findall(".//img")) == 3
    assert "default-src 'none'" in page.findall(".//meta[@http-equiv]")[0].attrib["content"]


def test_a_place_of_any_name_is_drawn() -> None:
    made = bench({HOSTILE + r"$\frac{$": 1.1}, 10)
    canvas = plots(Numbers.of(made))["cdf"]
    (label, *_) = canvas.legends[0].get_texts()
    assert label.get_text().endswith(r"\x1b[31m| `x`$\frac{$ clusterip")
    lxml.etree.fromstring(drawn(canvas, "svg"))


def test_plots_are_files_and_the_same_each_time(tmp_path: Path) -> None:
    path = file(tmp_path, "b.jsonl", {"nftables": 1.1, "iptables": 1.6}, 3)
    run("report", path, "--format", "plots", "--output", tmp_path / "plots")
    names = {one.name for one in (tmp_path / "plots").iterdir()}
    assert names == {f"bench-{n}.{k}" for n in ("latency", "cdf", "programming") for k in ("svg", "png")}
    first = (tmp_path / "plots" / "bench-programming.svg").read_bytes()
    assert first == drawn(plots(Numbers.of(load(path)))["programming"], "svg")
    assert b"endpoint change" in first


def test_a_gate_blocks_on_what_became_slower(tmp_path: Path) -> None:
    before = file(tmp_path, "a.jsonl", {"nftables": 1.1}, 4)
    same, slow = file(tmp_path, "b.jsonl", {"nftables": 1.1}, 5), file(tmp_path, "c.jsonl", {"nftables": 1.6}, 6)
    assert run("diff", before, same, "--gate")[0] == 0
    code, out, _ = run("diff", before, slow, "--gate")
    assert code == 1
    assert "slower        100 pod clusterip TCP p50" in out
    assert run("diff", before, slow)[0] == 0
    rows = json.loads(run("diff", before, slow, "--format", "json")[1])["rows"]
    assert {row["difference"] for row in rows if row["what"] == "pod direct TCP"} == {"no difference"}


def test_a_gate_blocks_on_what_is_lost_more_often(tmp_path: Path) -> None:
    before, after = (
        file(tmp_path, "a.jsonl", {"nftables": 1.1}, 9),
        file(tmp_path, "b.jsonl", {"nftables": 1.1}, 10, lossy=12),
    )
    code, out, _ = run("diff", before, after, "--gate")
    assert code == 1
    assert "of 6 kinds of dials and changes 2 lost more often" in out
    assert "lost more     100 pod clusterip TCP: in 12 of 15; before in 0 of 15\n" in out
    assert (
        "| 100 |  | pod clusterip TCP | 0 of 15 | 12 of 15 | lost more |"
        in run("diff", before, after, "--format", "markdown")[1]
    )
    rows = json.loads(run("diff", before, after, "--format", "json")[1])["rounds_with_losses"]
    assert [row["after"] for row in rows if row["difference"] == "higher"] == [[12, 15]] * 2
    assert run("diff", after, before, "--gate")[0] == 0


def test_a_truncated_bench_says_so(tmp_path: Path) -> None:
    path = file(tmp_path, "b.jsonl", {"nftables": 1.1}, 7, whole=False)
    _, out, err = run("report", path, "--format", "markdown")
    assert "truncated" in out
    assert "truncated" in err


def test_the_measured_part_of_the_documentation_is_replaced(tmp_path: Path) -> None:
    path = file(tmp_path, "b.jsonl", {"nftables": 1.1, "iptables": 1.6}, 8)
    (tmp_path / "performance.md").write_text(f"before\n{BEGIN}\nformer\n{END}\nafter\n", "utf-8")
    run("docs", "--bench", path, "--output", tmp_path)
    text = (tmp_path / "performance.md").read_text("utf-8")
    assert text.startswith(f"before\n{BEGIN}\n- **nftables**")
    assert text.endswith(f"{END}\nafter\n")
    assert "former" not in text
    assert "![bench-latency](bench-latency.svg)" in text
    assert (tmp_path / "bench-latency.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "junit"), "There is no format junit of a bench."),
        (("--format", "plots"), "Plots are several files."),
    ],
)
def test_what_a_bench_has_not_is_refused(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    path = file(tmp_path, "b.jsonl", {"nftables": 1.1}, 9)
    with pytest.raises(UsageError, match=re.escape(said)):
        cli.main(["report", str(path), *arguments], standalone_mode=False)
