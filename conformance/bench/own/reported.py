"""A run of any size, judged and written down as a real one is, of dials that were made up."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from conformance import __version__
from conformance.judge import account, judge
from conformance.judge.conclusion import conclude
from conformance.model.addresses import Family, Protocol
from conformance.model.case import Profile
from conformance.model.cell import Cell
from conformance.model.client import Client, ClientKind, Destination, DestinationKind
from conformance.model.cluster import ClusterState
from conformance.model.facts import Facts
from conformance.model.kube import Service
from conformance.model.observation import Dial, End, Observation
from conformance.model.outcome import Reaches
from conformance.model.result import Result, Timing, result
from conformance.oracle import expect
from conformance.results.codec import dump
from conformance.results.lines import SCHEMA, Footer, Header
from conformance.results.run import Run, gathered
from reports import html, junit

NOW = "2026-01-01T00:00:00+00:00"


def judged(known: ClusterState, cell: Cell) -> list[Result]:
    """A passed cell for each Service of ``known``, each with a name of its own; ``cell`` says what else there is."""
    node = next(iter(known.nodes.values()))
    client = Client("pod", ClientKind.POD, node.name, (node.pod_cidrs[0].replace(".0/24", ".253"),))
    return [_judged(known, client, service, cell) for service in known.services.values()]


def written(results: list[Result], facts: Facts) -> int:
    """results.jsonl, JUnit and the page of a run with these results; how many bytes those are."""
    run = _run(results, facts)
    lines = sum(len(dump(line)) + 1 for line in run.lines)
    return lines + len(junit.document(run)) + len(html.document(run))


def _judged(known: ClusterState, client: Client, service: Service, cell: Cell) -> Result:
    port = service.ports[0]
    to = Destination(DestinationKind.CLUSTER_IP, service.cluster_ips[0], port.port, Protocol.TCP, service.key)
    expectation = expect(known, client, to)
    targets = expectation.outcome.targets if isinstance(expectation.outcome, Reaches) else frozenset()
    ends = [(t.pod, min(t.sources)) for t in sorted(targets, key=lambda t: t.address)]
    dials = tuple(Dial(End.ANSWERED, *ends[n % len(ends)], at=float(n), took=0.001) for n in range(21))
    verdict = judge(expectation, Observation(dials, seconds=0.02))
    plain = result(replace(cell, id=f"{cell.id}.{service.name}"), verdict.status, message=verdict.message)
    return replace(
        plain,
        account=account(verdict, client.name, service.key, client.addresses),
        timing=Timing(judged=NOW, seconds=0.02, dials=len(dials), answers=len(dials), median_ms=1.0, slowest_ms=1.0),
    )


def _run(results: list[Result], facts: Facts) -> Run:
    families = (Family.IPV4,)
    names = tuple(n.name for n in facts.nodes.otherwise(())[:3])
    header = Header(SCHEMA, __version__, NOW, Profile.KUBE_PROXY_NFTABLES, 0, names, families, facts)
    conclusion = conclude(results, complete=True)
    counts = Counter(one.status for one in results)
    return gathered([*results, Footer(NOW, 1.0, len(results), True, counts, conclusion, conclusion.value)], header)
