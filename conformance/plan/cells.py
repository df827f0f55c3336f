"""Cases and matrices become cells, in a stable order with stable IDs, and a reason for each that does not apply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from conformance.model.addresses import Family, Protocol
from conformance.model.case import (
    Case,
    ClientRef,
    DestinationRef,
    Matrix,
    Need,
    Profile,
    ServiceSpec,
    Vantage,
    endpoint,
    external,
    host,
    pod,
)
from conformance.model.cell import Cell, Excluded
from conformance.model.client import ClientKind, DestinationKind
from conformance.model.cluster import ProxyMode
from conformance.model.sampling import dials_needed
from conformance.plan.landscape import ROLES, Landscape

MATRIX_CLIENTS: tuple[ClientRef, ...] = (
    *(pod(r) for r in ROLES),
    *(host(r) for r in ROLES),
    external("a"),
    external("c"),
)
FEWEST_DIALS = 5
"""With one endpoint or none a single dial would do; five also notice what fails now and then."""


def cells_of_case(case: Case, area: str) -> Iterator[Cell]:
    """One cell per family and protocol: ``ETP-03.ipv4-tcp``."""
    for family, protocol in product(case.across.family, case.across.protocol):
        yield Cell(
            id=f"{case.id}.{_axis(family, protocol)}",
            case=case.id,
            area=area,
            promise=case.promise,
            level=case.level,
            sources=case.sources,
            service=case.given,
            client=case.when.client,
            destination=case.when.destination,
            family=family,
            protocol=protocol,
            dials=_dials(case.given),
            then=case.then,
        )


def cells_of_matrix(matrix: Matrix, area: str) -> Iterator[Cell]:
    """Every variant, destination, client, family and protocol: ``NPM.np-etpl-web-a.nodePort-b.pod-a.ipv4-tcp``."""
    for spec, destination in product(matrix.services, matrix.destinations):
        for client in _clients(spec, destination):
            for family, protocol in product(matrix.across.family, matrix.across.protocol):
                yield Cell(
                    id=f"{matrix.id}.{spec.name}.{destination.label}.{client.label}.{_axis(family, protocol)}",
                    case=matrix.id,
                    area=area,
                    promise=matrix.promise,
                    level=matrix.level,
                    sources=matrix.sources,
                    service=spec,
                    client=client,
                    destination=destination,
                    family=family,
                    protocol=protocol,
                    dials=_dials(spec),
                )


def plan(
    cases: Iterable[Case], matrices: Iterable[Matrix], area: str, landscape: Landscape
) -> Iterator[Cell | Excluded]:
    """The cells of one area on this cluster, each either to be asked or excluded with the fact that says so."""
    for case in cases:
        for cell in cells_of_case(case, area):
            why = _other_mode(case.profile, landscape) or _unmet(case.needs, landscape) or _why_not(cell, landscape)
            yield Excluded(cell, why) if why else cell
    for matrix in matrices:
        for cell in cells_of_matrix(matrix, area):
            why = _other_mode(matrix.profile, landscape) or _why_not(cell, landscape)
            yield Excluded(cell, why) if why else cell


def _axis(family: Family, protocol: Protocol) -> str:
    return f"{family.value.lower()}-{protocol.value.lower()}"


def _dials(spec: ServiceSpec) -> int:
    return max(FEWEST_DIALS, dials_needed(len(spec.endpoints)))


def _clients(spec: ServiceSpec, destination: DestinationRef) -> Iterator[ClientRef]:
    own = tuple(endpoint(b.role) for b in spec.endpoints if not b.host_network)
    for client in (*MATRIX_CLIENTS, *own):
        if destination.kind is DestinationKind.NODE_PORT_LOOPBACK and client.kind is not ClientKind.NODE:
            continue
        yield client


def _other_mode(profile: Profile, landscape: Landscape) -> str:
    """A promise of kube-proxy's nftables mode is none of another mode's."""
    if profile is Profile.KUBE_PROXY_NFTABLES and landscape.mode not in (ProxyMode.NFTABLES, None):
        return f"a promise of nftables mode; this cluster's kube-proxy is in {landscape.mode.value} mode"
    return ""


def _unmet(needs: tuple[Need, ...], landscape: Landscape) -> str:
    for need in needs:
        if need.nodes > len(landscape.nodes):
            return f"needs {need.nodes} nodes; this cluster offers {len(landscape.nodes)}"
        if need.vantage is Vantage.EXTERNAL and not landscape.externals:
            return "needs a client outside the cluster; none was given (--external)"
    return ""


def _why_not(cell: Cell, landscape: Landscape) -> str:
    if cell.family not in landscape.families:
        return f"this cluster's Services have no {cell.family.value}"
    roles = {b.role for b in cell.service.endpoints} | {cell.destination.role}
    if cell.client.kind is ClientKind.EXTERNAL:
        if landscape.site(cell.client.role) is None:
            where = f" that enters through node {cell.client.role}" if cell.client.role else ""
            return f"needs a client outside the cluster{where}; none was given (--external)"
    else:
        roles.add(cell.client.role)
    missing = sorted(r for r in roles if r and landscape.node(r) is None)
    if missing:
        return f"needs {ord(missing[-1]) - ord('a') + 1} nodes; this cluster offers {len(landscape.nodes)}"
    return ""
