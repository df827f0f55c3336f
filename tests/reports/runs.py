"""Runs to make reports of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from conformance.judge.conclusion import conclude
from conformance.model.addresses import Family
from conformance.model.case import Level, Profile
from conformance.model.cluster import ProxyMode
from conformance.model.facts import Fact, Facts
from conformance.model.result import Account, Result, Timing
from conformance.model.source import Reason
from conformance.model.verdict import Mismatch, Status
from conformance.model.way import Divergence, Passage, Step, Way
from conformance.results.lines import SCHEMA, EndpointPod, Evidence, Footer, Header, NodeState
from conformance.results.run import Run, gathered
from conformance.spec.sources import EXTERNAL_POLICY

FACTS = Facts(version=Fact("v1.36.2", "/version"), proxy_mode=Fact(ProxyMode.NFTABLES, "/proxyMode"))
HEADER = Header(
    schema=SCHEMA,
    kit="0.1.0",
    started="2026-11-22T00:00:00+00:00",
    profile=Profile.KUBE_PROXY_NFTABLES,
    seed=7,
    nodes=("node-a", "node-b"),
    families=(Family.IPV4,),
    facts=FACTS,
    again="--kubeconfig k",
)


def an_account(observed: str = "5/5 silent") -> Account:
    reasons = (Reason("the endpoint is ready", EXTERNAL_POLICY),)
    return Account("pod-a on node-a -> nodePort-b, 5 dials", "answered by web-a", observed, reasons, True, None)


def a_result(
    number: int, status: Status, *, area: str = "nodeport", account: Account | None = None, message: str = "m"
) -> Result:
    return Result(
        id=f"NP-{number:02}.ipv4-tcp",
        case=f"NP-{number:02}",
        area=area,
        level=Level.MUST,
        promise="A promise.",
        sources=(EXTERNAL_POLICY,),
        service="np-web-a",
        client="pod-a",
        destination="nodePort-b",
        family="IPv4",
        protocol="TCP",
        status=status,
        mismatch=Mismatch.NOT_REACHED if status is Status.FAILED else Mismatch.NONE,
        message=message,
        account=account,
        timing=Timing(seconds=0.25),
    )


def a_run(results: Iterable[Result], *, missing: int = 0, header: Header = HEADER) -> Run:
    every = list(results)
    conclusion = conclude(every, complete=not missing)
    counts = Counter(r.status for r in every)
    footer = Footer("2026-11-22T00:01:00+00:00", 12.3, len(every) + missing, True, counts, conclusion, conclusion.value)
    return gathered([*every, footer], header)


def an_evidence(identity: str, text: str = "w") -> Evidence:
    """A packet that is translated and then dropped by a policy, on one node that could not be read."""
    steps = (Step("services", f"ip daddr {text} goto x", "goto x"), Step("x", f"dnat to {text}", "accept"))
    ways = (
        Way(
            f"node-{text}",
            (
                Passage("inet nftconform-1", "asked-prerouting", "10.0.0.1", 40, text, 80, iif=text),
                Passage("ip kube-proxy", "nat-prerouting", "10.0.0.1", 40, text, 80, steps=steps, end="accept"),
                Passage("inet wall", text, "10.0.0.1", 40, "10.0.0.2", 81, steps=(Step(text, "", "drop"),), end="drop"),
            ),
        ),
    )
    return Evidence(
        identity,
        pods=(EndpointPod(f"pod-{text}", text, True, (text,)),),
        nodes=(NodeState(f"node-{text}", "b", (f"rule {text}",), (f"entry {text}",), (f"unread {text}",)),),
        owed=f"owed {text}",
        dialled=f"dialled {text}",
        ways=ways,
        divergence=Divergence(f"diverged {text}", 0, 2),
        untraced=f"untraced {text}",
    )
