"""The preflight as a person reads it, as lines of JSON, and the page that explains its findings."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.table import Table
from rich.text import Text

from conformance.model.printable import printable, short
from conformance.model.release import told
from conformance.model.source import Source
from conformance.preflight.finding import Finding, Kind, Scope, Severity
from conformance.preflight.rules import RULES
from conformance.spec.interplay import Bug, Component, Interplay
from reports.markdown import HEAD, row

MOST = 4
"""Nodes or Services shown of one kind of finding: who needs them all takes ``--json``."""
_LONGEST = 400
_STYLES = {Severity.BLOCKER: "bold red", Severity.WARNING: "yellow", Severity.UNKNOWN: "magenta", Severity.NOTE: "dim"}

_INTRO = """\
# Migration preflight

`nftconform preflight` answers one question: may this cluster move from kube-proxy's iptables or ipvs mode to nftables?
It goes node by node and Service by Service, and says of each finding what was seen, where that was learned, what to do
and where it is written. It only reads.

```sh
nftconform preflight --kubeconfig ~/.kube/config
nftconform preflight --kubeconfig ~/.kube/config --ruleset node-a=a.json --ruleset node-b=b.json   # nft -j list ruleset
nftconform preflight --kubeconfig ~/.kube/config --accept node-port-localhost --json               # for a gate
kubectl get nodes,services,daemonsets,deployments,configmaps,pods -A -o json > objects.json
nftconform preflight --objects objects.json --fact version=v1.36.2                                 # without the cluster
```

| exit code | meaning |
| --- | --- |
| 0 | it may move: nothing but notes |
| 1 | blockers |
| 2 | no blocker, but something to look at first: a warning, or something unknown |
| 3 | usage or environment |

`--accept KIND` makes a kind of warning, or of what is unknown, a note once somebody has looked at it; a blocker stays
one. `--fact name=value` says what the cluster does not tell, or what it will be: `--fact version=v1.37.0` asks what
would be found after an upgrade. `--json` prints one finding a line.

**Permissions.** Those of [facts](facts.md), and `list services`. Without one, what it helps to learn is *unknown*, and
the finding names it; nothing is guessed. What no API tells (nodes' rulesets and nft) can be given.

**What is not found** because it does not change: `loadBalancerSourceRanges` hold for load balancer addresses in every
mode, and for node ports in none; traffic policies, endpoints and health are the same.

`nftconform run` afterwards, or before on one node, shows what really happens.
"""


def as_json(finding: Finding) -> str:
    """One finding as a line."""
    return json.dumps(
        {
            "severity": finding.severity.value,
            "kind": finding.kind.value,
            "scope": finding.scope.value,
            "object": finding.object,
            "evidence": finding.evidence,
            "learned": finding.learned,
            "means": RULES[finding.kind].means,
            "remedy": finding.remedy,
            "source": finding.source.text,
            "url": finding.source.url,
        }
    )


def table(findings: Sequence[Finding]) -> Table:
    """The findings, those of many nodes or Services together."""
    shown = Table(box=None, pad_edge=False, show_header=False)
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    for (severity, kind, remedy, source), members in groupby(findings, key=_alike):
        shown.add_row(Text(severity.value, style=_STYLES[severity]), Text(kind.value, style="bold"))
        for word, told_ in _told(kind, list(members), remedy, source):
            shown.add_row(Text(word, style="dim"), Text(told_))
        shown.add_row()
    return shown


def verdict(findings: Sequence[Finding]) -> str:
    """All in one sentence."""
    counts = Counter(f.severity for f in findings)
    numbers = ", ".join(f"{counts[s]} {s.value}{_plural(s, counts[s])}" for s in Severity if counts[s])
    if any(f.kind is Kind.REPLACED for f in findings):
        return "There is nothing to migrate."
    if counts[Severity.BLOCKER]:
        return f"It may not move as it is: {numbers}."
    if counts[Severity.WARNING] or counts[Severity.UNKNOWN]:
        return f"No blocker is known, but look first: {numbers}."
    return f"It may move: {numbers or 'nothing found'}."


def page(interplay: Interplay) -> str:
    """docs/preflight.md."""
    lines = [HEAD, _INTRO, "## Findings\n", row("kind", "usually", "what it means", "what to do", "source"), _rule(5)]
    for kind in Kind:
        rule = RULES[kind]
        severity = rule.severity.value
        lines.append(row(f"`{kind.value}`", severity, rule.means, rule.remedy, _linked(rule.source)))
    lines += ["", "## Components\n", "What is known of other components, by their own side or from the field.\n"]
    lines += [row("component", "is", "verdict", "otherwise", "why", "what to do", "as of"), _rule(7)]
    lines += [_component(one) for one in interplay.components]
    lines += ["", "## Bugs\n", "Of kube-proxy's nftables mode, beside the known issues that a run excuses.\n"]
    lines += [row("since", "before", "matters with", "verdict", "what", "what to do"), _rule(6)]
    lines += [_bug(one) for one in interplay.bugs]
    return "\n".join(lines) + "\n"


def _alike(finding: Finding) -> tuple[Severity, Kind, str, Source]:
    return (finding.severity, finding.kind, finding.remedy, finding.source)


def _told(kind: Kind, members: Sequence[Finding], remedy: str, source: Source) -> Iterator[tuple[str, str]]:
    if kind not in {Kind.COMPONENT, Kind.BUG, Kind.KNOWN_ISSUE}:  # what was seen says it
        yield "", RULES[kind].means
    for finding in members[:MOST]:
        yield "seen", _seen(finding)
    if len(members) > MOST:
        yield "", f"and {len(members) - MOST} more; --json names them all"
    parts = (part for finding in members[:MOST] for part in finding.learned.split("; "))
    yield "learned", short("; ".join(dict.fromkeys(parts)), _LONGEST)
    yield "do", remedy
    yield "source", source.url or source.text


def _seen(finding: Finding) -> str:
    about = f"{finding.scope.value} {finding.object}: " if finding.scope is not Scope.CLUSTER else ""
    return printable(about) + short(finding.evidence, _LONGEST)


def _plural(severity: Severity, count: int) -> str:
    return "" if count == 1 or severity is Severity.UNKNOWN else "s"


def _component(one: Component) -> str:
    conditions = [f"since {told(one.since)}"] if one.since else []
    conditions += [f"dataplane {one.dataplane}"] if one.dataplane else []
    verdict_ = " ".join([one.verdict.value, *([f"({', '.join(conditions)})"] if conditions else [])])
    otherwise = one.otherwise.value if conditions else ""
    why = f"{one.told} ([source]({one.link}))"
    return row(one.name, one.part.value, verdict_, otherwise, why, one.remedy, one.as_of)


def _bug(one: Bug) -> str:
    before = told(one.before) if one.before else ""
    what = f"{one.summary} ([source]({one.link}))"
    return row(told(one.since), before, one.concerns.value, one.verdict.value, what, one.remedy)


def _linked(source: Source) -> str:
    return f"[{source.text}]({source.url})" if source.url else f"`{source.text}`"


def _rule(columns: int) -> str:
    return row(*["---"] * columns)
