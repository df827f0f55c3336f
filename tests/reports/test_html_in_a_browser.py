"""The HTML page in a real browser, from a file, as a person uses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from conformance.model.result import Result
from conformance.model.verdict import Status
from conformance.results.run import Run
from reports import html
from reports.files import PAGE
from tests.reports.browser import PROGRAM, WHY_NOT, Page, browser
from tests.reports.hostile import HOSTILE, a_run_of
from tests.reports.runs import a_result, a_run, an_account, an_evidence

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=WHY_NOT)
CLIENTS, SERVICES, NODES = [f"pod-{c}" for c in "abcde"], [f"np-{i}" for i in range(10)], ["nodePort-a", "nodePort-b"]
FITTING = "document.querySelectorAll('#grids .t:not(.off)').length"
FOCUSED = "document.activeElement.getAttribute('aria-label') || document.activeElement.value"
TITLE = "document.querySelector('dialog[open] h2')?.textContent || ''"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def shown(chromium: Page, tmp_path: Path) -> Page:
    """A matrix of 200 cells in two maps, in which pod-b fails, and three hand-written cells in another area."""
    return opened(chromium, tmp_path, a_run([*matrix(), *others()]))


def opened(page: Page, folder: Path, run: Run, *, width: int = 1400, part: str = "") -> Page:
    path = folder / PAGE
    path.write_bytes(html.document(run))
    page.open(path, width=width, part=part)
    return page


def matrix() -> list[Result]:
    one = a_result(1, Status.PASSED)
    cells = []
    for service, node, client, protocol in product(SERVICES, NODES, CLIENTS, ("TCP", "UDP")):
        identity = f"NPM.{service}.{node}.{client}.ipv4-{protocol.lower()}"
        made = a_result(1, Status.FAILED, account=an_account()) if client == "pod-b" else one
        words = replace(made, service=service, destination=node, client=client, protocol=protocol)
        cells.append(replace(words, id=identity, case="NPM"))
    return cells


def others() -> list[Result]:
    statuses = (Status.PASSED, Status.UNKNOWN, Status.NOT_APPLICABLE)
    return [a_result(i, status, area="affinity", message=f"says {i}") for i, status in enumerate(statuses)]


def test_it_draws_every_cell_once_and_asks_the_network_for_nothing(shown: Page) -> None:
    assert shown.run(FITTING) == len(matrix()) + len(others())
    captions = shown.run("[...document.querySelectorAll('caption')].map(c => c.textContent)")
    assert captions == ["IPv4 TCP", "IPv4 UDP"]
    row = "document.querySelector('.grid tbody tr')"
    glyphs = shown.run(f"[...{row}.querySelectorAll('.t')].map(t => t.textContent).join('')")
    assert glyphs == "·✕···" * 2
    assert shown.requests == [shown.run("location.href")]
    assert shown.complaints == []


def test_filters_narrow_maps_rows_and_the_count(shown: Page) -> None:
    shown.run("document.querySelector('#filters [data-mark=not-reached]').click()")
    assert shown.run(FITTING) == 40
    assert shown.run("[...document.querySelectorAll('.area:not([hidden]) h3')].map(h => h.textContent)") == ["nodeport"]
    shown.run("document.querySelector('#filters [name=text]').focus()")
    for letter in "np-3 nodePort-b":
        shown.press(letter)
    assert shown.run("document.querySelector('#filters output').value") == "2 of 203 cells"
    shown.run("document.querySelector('#matching summary').click()")
    assert (
        shown.run("new Promise(done => setTimeout(() => done(document.querySelectorAll('#matching li').length)))") == 2
    )
    shown.run("document.querySelector('#filters [type=reset]').click()")
    assert shown.run(f"new Promise(done => setTimeout(() => done({FITTING})))") == 203


def test_a_failing_cell_tells_everything_by_keyboard_alone(shown: Page) -> None:
    shown.press("n")
    assert shown.run(TITLE) == "NP-01.ipv4-tcp", "the first that is broken, in the order of the page"
    shown.press("n")
    assert shown.run(TITLE) == "NPM.np-0.nodePort-a.pod-b.ipv4-tcp"
    text = shown.run("document.querySelector('dialog').innerText")
    for said in (
        "A promise.",
        "answered by web-a",
        "5/5 silent",
        "the endpoint is ready",
        "before ok, after not asked",
    ):
        assert said in text
    assert "nftconform run --case NPM.np-0.nodePort-a.pod-b.ipv4-tcp --kubeconfig k" in text
    shown.press("Escape")
    assert shown.run(TITLE) == ""


def proven() -> Run:
    """A failing cell with all that was gathered of it, and another of the case without."""
    one, other = (replace(a_result(i, Status.FAILED, account=an_account()), case="NP") for i in (7, 8))
    one = replace(one, divergence="diverged w", evidence="reports/out/evidence/x/")
    return replace(a_run([one, other]), evidence={one.id: an_evidence(one.id)})


@pytest.mark.parametrize("width", [1400, 400])
def test_the_way_of_the_packet_is_a_list_in_which_the_divergence_is_said(
    chromium: Page, tmp_path: Path, width: int
) -> None:
    page = opened(chromium, tmp_path, proven(), width=width, part="NP-07.ipv4-tcp")
    stages = page.run("[...document.querySelectorAll('dialog .way > li')].map(li => li.innerText)")
    assert [stage.splitlines()[0] for stage in stages] == [
        "comes by at prerouting (iif w)",
        "ip kube-proxy nat-prerouting",
        "destination is now 10.0.0.2:81",
    ]
    assert "services: ip daddr w goto x\nx: dnat to w → accept" in stages[1]
    assert stages[2].endswith("inet wall w ◀ here it diverged\nw: policy drop")
    assert page.run("document.querySelectorAll('dialog .here').length") == 1
    page.run("document.querySelectorAll('dialog details').forEach(d => { d.open = true })")
    text = page.run("document.querySelector('dialog').innerText")
    for said in (
        "diverged w",
        "owed w",
        "untraced w",
        "rule w",
        "entry w",
        "# not read: unread w",
        "pod-w on w: ready",
    ):
        assert said in text
    assert page.run("document.querySelector('dialog').scrollWidth") <= width
    page.press("n")
    assert page.run("document.querySelectorAll('dialog .way').length") == 0
    assert page.run("document.querySelector('dialog dd a[href=\"#NP-07.ipv4-tcp\"]').textContent") == "NP-07.ipv4-tcp"


def test_arrows_walk_over_a_map_and_enter_opens(shown: Page) -> None:
    shown.run("document.querySelector('.grid button.t').focus()")
    for key in ("ArrowDown", "ArrowRight"):
        shown.press(key)
    assert shown.run(FOCUSED) == "NPM.np-1.nodePort-a.pod-b.ipv4-tcp: not reached"
    assert shown.run("document.querySelectorAll('.area:last-of-type .t[tabindex=\"0\"]').length") == 1
    shown.press("Enter")
    assert shown.run(TITLE) == "NPM.np-1.nodePort-a.pod-b.ipv4-tcp"
    shown.press("Escape")
    assert shown.run(FOCUSED).startswith("NPM.np-1."), "one goes on where one was"


def test_an_address_opens_a_cell(chromium: Page, tmp_path: Path) -> None:
    page = opened(chromium, tmp_path, a_run([*matrix(), *others()]), part="NP-02.ipv4-tcp")
    assert page.run(TITLE) == "NP-02.ipv4-tcp"
    assert "says 2" in page.run("document.querySelector('dialog').innerText")


def test_a_narrow_screen_needs_no_scrolling_sideways(chromium: Page, tmp_path: Path) -> None:
    long = [replace(one, promise="word " * 40, message="x" * 400) for one in others()]
    page = opened(chromium, tmp_path, a_run([*matrix(), *long]), width=400, part="NP-01.ipv4-tcp")
    assert page.run("document.documentElement.scrollWidth") <= 400
    assert page.run("document.querySelector('dialog').scrollWidth") <= 400


def test_hostile_text_is_text_in_every_part_of_the_page(chromium: Page, tmp_path: Path) -> None:
    page = opened(chromium, tmp_path, a_run_of(HOSTILE))
    page.run("document.querySelectorAll('details').forEach(d => { d.open = true })")
    for number in range(len(Status)):
        page.run(f"document.querySelector('[data-cell=\"{number}\"]').click()")
        assert "onerror='document.title=1'" in page.run(TITLE)
        page.run("document.querySelector('dialog').close()")
    assert page.run("document.querySelectorAll('img, [onerror], [onclick]').length") == 0
    assert page.run("[...document.links].every(a => a.protocol === 'https:' || a.protocol === 'file:')")
    assert page.run("document.title").startswith("failed: nftconform")
    assert len(page.requests) == 1
    assert page.complaints == []
