"""The audit of files: what nft printed and what the API held, as recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance.audit import Detail, Finding, MalformedRuleset, Table, audit_node, read_tables
from conformance.cli.scenario import read_cluster
from conformance.errors import UsageError
from conformance.model.addresses import Family
from conformance.model.cluster import ClusterState, ProxyMode

_PIECE = 1 << 16
_HINT = "Give what `nft -j list table ip kube-proxy` printed on the node, once for each family."


def of_scenario(folder: Path, nodes: tuple[str, ...], *, strict: bool) -> dict[str, tuple[Finding, ...]]:
    """The findings by node of every ``ruleset-NODE.json`` in ``folder``, or of those of ``nodes``."""
    there = {p.stem.removeprefix("ruleset-"): p for p in sorted(folder.glob("ruleset-*.json"))}
    if not there:
        raise UsageError(f"{folder} holds no ruleset-NODE.json.", _HINT)
    lacking = next((n for n in nodes if n not in there), None)
    if lacking is not None:
        raise UsageError(f"{folder} holds no ruleset-{lacking}.json.", f"It has those of {', '.join(there)}.")
    chosen = {n: (path,) for n, path in there.items() if n in nodes or not nodes}
    return of_files(chosen, folder / "topology.json", folder / "objects.json", strict=strict)


def of_files(
    rulesets: Mapping[str, tuple[Path, ...]], topology: Path, objects: Path, *, strict: bool
) -> dict[str, tuple[Finding, ...]]:
    """The findings by node of the files in ``rulesets``, by node; `UsageError` when one makes no sense."""
    state, placed, _ = read_cluster(topology, objects)
    if state.proxy.mode is not ProxyMode.NFTABLES:
        raise UsageError(f"{topology} is of mode {state.proxy.mode.value}.", "The audit reads nftables mode's tables.")
    for node in rulesets:
        if node not in state.nodes:
            raise UsageError(f"{objects} knows no node '{node}'.", f"It has {', '.join(sorted(state.nodes))}.")
    detail = _detail(placed["kubeProxy"])
    try:
        return {node: _one(node, paths, state, detail, strict=strict) for node, paths in rulesets.items()}
    except ValueError as fault:  # of the configuration's addresses, which nobody has looked at before
        raise UsageError(f"{topology}: {fault}.", "Look at kubeProxy's CIDRs and nodePortAddresses.") from None


def _one(
    node: str, paths: tuple[Path, ...], state: ClusterState, detail: Detail, *, strict: bool
) -> tuple[Finding, ...]:
    tables: dict[Family, Table] = {}
    for path in paths:
        for family, table in _tables(path).items():
            if family in tables:
                raise UsageError(f"{path} holds an {family.value} table, as another file did.", _HINT)
            tables[family] = table
    return audit_node(tables, state, node, detail, strict=strict)


def _tables(path: Path) -> Mapping[Family, Table]:
    try:
        return read_tables(_pieces(path))
    except MalformedRuleset as fault:
        raise UsageError(f"{path} is no ruleset: {fault}.", _HINT) from None
    except (OSError, UnicodeDecodeError) as fault:
        raise UsageError(f"{path} cannot be read: {fault}.", _HINT) from None


def _pieces(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from iter(lambda: file.read(_PIECE), "")


def _detail(kube_proxy: Mapping[str, Any]) -> Detail:
    plain = Detail()
    bit = kube_proxy.get("masqueradeBit")
    return Detail(
        masquerade_bit=bit if isinstance(bit, int) and 0 <= bit < 32 else plain.masquerade_bit,
        bridge_interface=str(kube_proxy.get("bridgeInterface") or ""),
        interface_name_prefix=str(kube_proxy.get("interfaceNamePrefix") or ""),
    )
