"""The page of faults: what each of them is, and which cases caught it when it was on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from conformance.judge.kills import Finding
from conformance.spec.faults import DAMAGE, Damage, Fault, Site
from reports.kills import Record, summary
from reports.markdown import HEAD, row
from reports.mutants import Hunted, section


def page(catchers: Mapping[Fault, Iterable[str]], record: Record | None, hunt: Hunted | None) -> str:
    """Every fault by where it is put in, the kill matrix of ``record``, and the mutants of ``hunt``, as Markdown."""
    known = sorted(DAMAGE.items(), key=lambda item: (list(Site).index(item[1].site), item[0].word))
    lines = [
        HEAD,
        "# Faults\n",
        f"{len(known)} ways in which a Service network is known to be wrong. The lab can suffer each of them:",
        "`nftconform lab fault on NAME [--node N] [--service S]`. They are put in below the proxy, so that the lab's",
        "reference proxy and a real kube-proxy suffer them alike. `nftconform selftest` puts each of them into a lab",
        "of its own and sees that the cases which claim to catch it fail, and that their mismatch names its promise.\n",
    ]
    for site, members in groupby(known, key=lambda item: item[1].site):
        lines += [f"## In {site.value}\n", row("fault", "what breaks", "how", "promise", "shows as", "in the field")]
        lines += [row(*["---"] * 6), *(_described(fault, damage) for fault, damage in members), ""]
    lines += ["## The kill matrix\n", *(_matrix(catchers, record) if record else ["No whole selftest was recorded."])]
    if hunt:
        lines += ["", *section(hunt)]
    return "\n".join(lines) + "\n"


def _described(fault: Fault, damage: Damage) -> str:
    shows = ", ".join(mismatch.value for mismatch in damage.shows)
    field = ", ".join(_linked(one) for one in damage.field)
    return row(f"`{fault.word}`", fault.value, damage.how, damage.promise, shows, field)


def _linked(issue: str) -> str:
    repository, _, number = issue.partition("#")
    shown = f"k/k#{number}" if repository == "kubernetes/kubernetes" else issue
    return f"[{shown}](https://github.com/{repository}/issues/{number})"


def _matrix(catchers: Mapping[Fault, Iterable[str]], record: Record) -> Iterable[str]:
    yield f"Recorded on {record.date} with seed {record.seed}. {summary(list(record.kills.values()))}\n"
    yield row("fault", "caught by", "as", "matrix cells that fail", "claimed, but missed by")
    yield row(*["---"] * 5)
    for fault in sorted(catchers, key=lambda one: one.word):
        kill = record.kills.get(fault)
        if kill is None:
            yield row(f"`{fault.word}`", "", "", "", "not tried yet")
            continue
        claimed = list(catchers[fault])
        missed = [case for case in claimed if kill.findings.get(case) is not Finding.CAUGHT]
        mismatches = ", ".join(mismatch.value for mismatch in kill.mismatches)
        caught = _cases(case for case in claimed if case not in missed)
        yield row(f"`{fault.word}`", caught, mismatches, f"{kill.matrix_failed} of {kill.matrix_asked}", _cases(missed))


def _cases(identities: Iterable[str]) -> str:
    return ", ".join(f"[{one}](catalogue.md#{one.lower()})" for one in identities)
