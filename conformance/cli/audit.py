"""``nftconform audit``: every node's kube-proxy table against the API; reads only, sends no packet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.audit import MEASURED, Finding
from conformance.cli.audit_offline import of_files, of_scenario
from conformance.cli.options import fact_option
from conformance.errors import UsageError
from conformance.model.printable import printable

_FILE = click.Path(dir_okay=False, path_type=Path)
_COLUMNS = ("node", "family", "kind", "object", "where", "there", "expected", "source")


@click.command()
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="The cluster [$KUBECONFIG, ~/.kube/config].")
@click.option("--context", help="The kubeconfig's context [its current one].")
@fact_option
@click.option("--node", "nodes", multiple=True, metavar="NAME", help="Only this node; may be repeated.")
@click.option("--max-nodes", type=click.IntRange(1), metavar="N", help="Only N nodes, always the same, of all zones.")
@click.option("--ruleset", "rulesets", type=_FILE, multiple=True, help="What nft printed instead of a cluster's nodes.")
@click.option("--objects", type=_FILE, help="The API's objects to go with --ruleset, as objects.json of a scenario.")
@click.option("--topology", type=_FILE, help="Nodes and configuration to go with it, as topology.json of a scenario.")
@click.option("--scenario", type=click.Path(file_okay=False, path_type=Path), help="A folder with all three.")
@click.option("--strict", is_flag=True, help="Also count empty chains, which kube-proxy deletes a second later.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a finding.")
def audit(
    kubeconfig: Path | None,
    context: str | None,
    told: tuple[str, ...],
    nodes: tuple[str, ...],
    max_nodes: int | None,
    rulesets: tuple[Path, ...],
    objects: Path | None,
    topology: Path | None,
    scenario: Path | None,
    strict: bool,
    as_json: bool,
) -> int:
    """Say how the nftables tables of kube-proxy's nodes differ from what the API's objects ask for.

    Of a cluster, Services, EndpointSlices, nodes and kube-proxy's ConfigMap are read, and each node's table by
    `nft -j list table` in its kube-proxy pod, which takes the permission to exec there. What is found is read again
    before it is believed. Offline, the same of files: --scenario DIR with topology.json, objects.json and
    ruleset-NODE.json, or --ruleset (once a family), --objects, --topology and --node.

    Exit codes: 0 no finding, 1 findings, 3 usage or environment, or something could not be read.
    """
    lacks: list[str] = []
    if scenario is None and not (rulesets or objects or topology):
        findings, lacks = _live(kubeconfig, context, told, nodes, max_nodes, strict=strict)
    elif kubeconfig or context or told or max_nodes or (scenario and (rulesets or objects or topology)):
        raise UsageError("Those options do not go together.", "Name one: a cluster, --scenario, or --ruleset.")
    elif scenario:
        findings = of_scenario(scenario, nodes, strict=strict)
    elif rulesets and objects and topology and len(nodes) == 1:
        findings = of_files({nodes[0]: rulesets}, topology, objects, strict=strict)
    else:
        raise UsageError("The files are not complete.", "Give --ruleset, --objects, --topology and one --node.")
    _print(findings, as_json=as_json)
    for line in lacks:
        click.echo(printable(line), err=True)
    return 1 if any(findings.values()) else 3 if lacks else 0


def _live(
    kubeconfig: Path | None,
    context: str | None,
    facts: tuple[str, ...],
    nodes: tuple[str, ...],
    most: int | None,
    *,
    strict: bool,
) -> tuple[Mapping[str, tuple[Finding, ...]], list[str]]:
    # The client takes a second to import, which files do not need.
    from conformance.cluster.connection import connect  # noqa: PLC0415
    from conformance.facts.given import given  # noqa: PLC0415
    from fixtures.auditing import of_cluster, told  # noqa: PLC0415

    given(facts)  # a typing error is told before any cluster is asked
    cluster = connect(kubeconfig, context)
    try:
        found = of_cluster(cluster, nodes, most, facts, strict=strict)
    finally:
        cluster.close()
    if found.version != MEASURED and any(found.findings.values()):
        ours, its = (".".join(map(str, version)) for version in (MEASURED, found.version))
        click.echo(f"This cluster is {its}; the tables of kube-proxy {ours} are what is expected.", err=True)
    return found.findings, told(found.unread, found.restless)


def _print(findings: Mapping[str, tuple[Finding, ...]], *, as_json: bool) -> None:
    every = [f for node in sorted(findings) for f in findings[node]]
    if as_json:
        for finding in every:
            click.echo(json.dumps(dict(zip(_COLUMNS, _row(finding), strict=True))))
        return
    if every:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("node", "kind", "about", "difference"):
            table.add_column(column, overflow="fold")
        for finding in every:
            table.add_row(*map(Text, _told(finding)))
        Console(highlight=False).print(table)
    count = "no finding" if not every else f"{len(every)} finding{'s' if len(every) > 1 else ''}"
    click.echo(f"{count} on {len(findings)} node{'' if len(findings) == 1 else 's'}: {', '.join(sorted(findings))}")


def _told(finding: Finding) -> tuple[str, ...]:
    there, expected = finding.there or "nothing", finding.expected or "nothing"
    about = [finding.object, finding.where] if finding.object else [finding.where]
    difference = [f"there     {there}", f"expected  {expected}", f"source    {finding.source.text}"]
    cells = ([finding.node, finding.family.value], [finding.kind.value], about, difference)
    return tuple("\n".join(map(printable, lines)) for lines in cells)


def _row(finding: Finding) -> tuple[str, ...]:
    where = (finding.node, finding.family.value, finding.kind.value, finding.object, finding.where)
    return (*where, finding.there, finding.expected, finding.source.text)
