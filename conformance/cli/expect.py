"""``nftconform expect``: what must happen in a recorded scenario, or whether it did."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click

from conformance.cli.cni import CniOptions
from conformance.cli.options import Given, KubernetesOptions, cluster_options, pod_options
from conformance.cli.recorded import cell_json, observation
from conformance.cli.scenario import RecordedCell, Scenario, every_cell, read_scenario
from conformance.cli.there import settled
from conformance.errors import UsageError
from conformance.judge import account, block, judge, said
from conformance.kit import put_on_path
from conformance.model.printable import printable
from conformance.model.verdict import Status, Verdict
from conformance.oracle import expect as ask


@click.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Compare with the recorded ends; exit 1 if any disagrees.")
@click.option("--record", is_flag=True, help="Dial the chosen cases of a cluster, and write SCENARIO.")
@cluster_options
@pod_options
def expect(
    scenario: Path,
    check: bool,
    record: bool,
    kubeconfig: Path | None,
    context: str | None,
    cases: tuple[str, ...],
    profile: str,
    externals: tuple[str, ...],
    told: tuple[str, ...],
    in_lab: bool,
    nodes: int,
    binaries: Path | None,
    proxy_mode: str | None,
    kube_proxy_config: Path | None,
    cni: CniOptions,
    agent_image: str | None,
) -> int:
    """Say what must happen in SCENARIO, one expectation a cell as JSON lines; or check what did; or record one.

    SCENARIO is a folder. topology.json says nodes (addresses, zone), clients (kind, node or via, addresses) and
    kubeProxy (version, mode, clusterCIDR, serviceCIDR ...); objects.json holds the API's services, endpointslices and
    nodes; cells.jsonl, which may be absent, one dialled cell a line: client, service, kind, ip, port, proto, and in out
    how often it ended how. With --record it is written: with the kit's own Services and pods in a cluster, or in a lab.
    """
    if record:
        given = Given(kubeconfig, context, cases, profile, externals, told, agent_image)
        kubernetes = (binaries, proxy_mode, kube_proxy_config, cni)
        return _record(scenario, given, in_lab=in_lab, nodes=nodes, wanted=kubernetes)
    recorded = read_scenario(scenario)
    if check:
        return _check(scenario, recorded)
    for cell in recorded.cells or every_cell(recorded):
        line = cell_json(cell, ask(recorded.state, cell.client, cell.destination))
        click.echo(json.dumps(line, sort_keys=True))
    return 0


def _record(folder: Path, given: Given, *, in_lab: bool, nodes: int, wanted: KubernetesOptions) -> int:
    put_on_path()
    from fixtures.recording import record  # noqa: PLC0415  importable only after put_on_path
    from fixtures.settings import check_named  # noqa: PLC0415

    choice = given.choice()
    check_named(choice)
    with settled(choice, in_lab=in_lab, nodes=nodes, wanted=wanted) as settings:
        count, lost = record(settings, folder, lambda text: click.echo(text, err=True))
    also = f"; {lost} could not be asked" if lost else ""
    click.echo(f"{count} cells recorded in {folder}{also}")
    return 2 if lost else 0


def _check(folder: Path, scenario: Scenario) -> int:
    if not any(cell.out for cell in scenario.cells):
        raise UsageError(f"{folder / 'cells.jsonl'} holds no recorded ends.", "Without --check it is not needed.")
    count: Counter[Status] = Counter()
    reasons: Counter[str] = Counter()
    for cell in scenario.cells:
        expectation = ask(scenario.state, cell.client, cell.destination)
        verdict = judge(expectation, observation(cell, expectation, scenario.names))
        count[verdict.status] += 1
        if verdict.status is Status.RECORDED:
            reasons[verdict.message] += 1
        elif verdict.status is not Status.PASSED:
            click.echo(_explained(cell, verdict) + "\n")
    for topic, times in reasons.most_common():
        click.echo(printable(f"{times} {topic}"))
    agree, unspecified = count[Status.PASSED], count[Status.RECORDED]
    disagree = count.total() - agree - unspecified
    click.echo(f"{count.total()} cells: {agree} agree, {unspecified} unspecified, {disagree} disagree")
    return 1 if disagree else 0


def _explained(cell: RecordedCell, verdict: Verdict) -> str:
    to, client = cell.destination, cell.client
    head = f"{to.service} {to.kind.value}{f'@{to.node}' if to.node else ''}"
    who = f"{client.kind.value} {client.name} on {client.node}"
    return block(head, account(verdict, who, f"{to.ip} port {to.port}/{to.protocol.value}"), said(verdict))
