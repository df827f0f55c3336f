"""Cases and matrices become cells, in a stable order with stable IDs, and a reason for each that does not apply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import assert_never

from conformance.model.addresses import Family, Protocol
from conformance.model.case import (
    Ask,
    Become,
    Case,
    ClientRef,
    DestinationRef,
    Dialling,
    Disturb,
    Matrix,
    Need,
    PolicySpec,
    Profile,
    ServiceSpec,
    Submission,
    Vantage,
    dial,
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
ONE_QUESTION = frozenset(
    {
        DestinationKind.HEALTH_CHECK,
        DestinationKind.PROXY_PAGE,
        DestinationKind.LOOKUP,
        DestinationKind.UPLINK,
        DestinationKind.RULES,
        DestinationKind.NODE,
    }
)
"""What answers the same however often it is asked."""

Axis = tuple[Family | None, Protocol | None]


def cells_of_case(case: Case, area: str) -> Iterator[Cell]:
    """One cell a question, family and protocol: ``ETP-03.ipv4-tcp``; of a story ``LIV-03.ipv4-tcp.after``."""
    families: tuple[Family | None, ...] = case.across.family or (None,)
    protocols: tuple[Protocol | None, ...] = case.across.protocol or (None,)
    for axis in product(families, protocols):
        story = ".".join(w for w in (case.id, _axis(*axis)) if w)
        phases, asked, disturbances = _phases(case)
        policies = _policies(case)
        for phase, one in asked:
            yield Cell(
                id=f"{story}.{one.name}" if one.name else story,
                case=case.id,
                area=area,
                promise=case.promise,
                level=case.level,
                sources=case.sources,
                phases=phases,
                what=one.what,
                family=axis[0],
                protocol=axis[1],
                dials=_dials(one.what, phases[phase]),
                then=one.then,
                phase=phase,
                story=story,
                alone=case.alone,
                profile=case.profile,
                disturbances=disturbances,
                policies=policies,
            )


def cells_of_matrix(matrix: Matrix, area: str) -> Iterator[Cell]:
    """Every variant, destination, client, family and protocol: ``NPM.np-etpl-web-a.nodePort-b.pod-a.ipv4-tcp``."""
    for spec, destination in product(matrix.services, matrix.destinations):
        for client in _clients(spec, destination):
            for family, protocol in product(matrix.across.family, matrix.across.protocol):
                identity = f"{matrix.id}.{spec.name}.{destination.label}.{client.label}.{_axis(family, protocol)}"
                yield Cell(
                    id=identity,
                    case=matrix.id,
                    area=area,
                    promise=matrix.promise,
                    level=matrix.level,
                    sources=matrix.sources,
                    phases=((spec,),),
                    what=dial(destination, client=client),
                    family=family,
                    protocol=protocol,
                    dials=_dials(dial(destination, client=client), (spec,)),
                    story=identity,
                    profile=matrix.profile,
                )


def plan(
    cases: Iterable[Case], matrices: Iterable[Matrix], area: str, landscape: Landscape
) -> Iterator[Cell | Excluded]:
    """The cells of one area on this cluster, each either to be asked or excluded with the fact that says so.

    A story is asked as a whole or not at all.
    """
    for case in cases:
        every = list(cells_of_case(case, area))
        whole = _other_mode(case.profile, landscape) or _disruptive(case, landscape) or _unmet(case.needs, landscape)
        lacking: dict[str, str] = {}
        for cell in every:
            why = whole or _why_not(cell, landscape)
            if why:
                lacking.setdefault(cell.story, why)
        for cell in every:
            why = lacking.get(cell.story, "")
            yield Excluded(cell, why) if why else cell
    for matrix in matrices:
        for cell in cells_of_matrix(matrix, area):
            why = _other_mode(matrix.profile, landscape) or _why_not(cell, landscape)
            yield Excluded(cell, why) if why else cell


def _phases(
    case: Case,
) -> tuple[tuple[tuple[ServiceSpec, ...], ...], list[tuple[int, Ask]], tuple[Disturb | None, ...]]:
    """The Services of each phase, the questions with the phase that they are asked in, and what goes on in each."""
    phases, asked = [case.services], []
    disturbances: list[Disturb | None] = [None]
    for step in case.story:
        match step:
            case Ask():
                asked.append((len(phases) - 1, step))
            case Become(services=services):
                phases.append(services)
                disturbances.append(None)
            case Disturb():
                phases.append(phases[-1])
                disturbances.append(step)
            case _:
                assert_never(step)
    return tuple(phases), asked, tuple(disturbances) if case.disruptive else ()


def _policies(case: Case) -> tuple[tuple[PolicySpec, ...], ...]:
    """The NetworkPolicies of each phase; of a case without any, none."""
    found = [case.policies]
    for step in case.story:
        if isinstance(step, Become):
            found.append(found[-1] if step.policies is None else step.policies)
        elif isinstance(step, Disturb):
            found.append(found[-1])
    return tuple(found) if any(found) else ()


def _axis(family: Family | None, protocol: Protocol | None) -> str:
    return "-".join(a.value.lower() for a in (family, protocol) if a)


def _dials(what: Dialling | Submission, services: tuple[ServiceSpec, ...]) -> int:
    if isinstance(what, Submission) or what.destination.kind in ONE_QUESTION:
        return 1
    if what.times is not None:
        return what.times
    of = what.destination.of
    spec = next((s for s in services if not of or s.name == of), None)
    if spec is None:
        return FEWEST_DIALS
    if what.rounds:
        return len(what.rounds) * len(spec.ports)
    return max(FEWEST_DIALS, dials_needed(len(spec.backends)))


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


def _disruptive(case: Case, landscape: Landscape) -> str:
    return "disturbs others; not permitted (--disruptive)" if case.disruptive and not landscape.disruptive else ""


def _unmet(needs: tuple[Need, ...], landscape: Landscape) -> str:
    for need in needs:
        if need.nodes > len(landscape.nodes):
            return f"needs {need.nodes} nodes; this cluster offers {len(landscape.nodes)}"
        if need.zones > len(set(landscape.zones)):
            return f"needs nodes in {need.zones} zones; this cluster's are in {len(set(landscape.zones))}"
        if landscape.version is not None and need.since > landscape.version:
            wanted, found = (".".join(map(str, v)) for v in (need.since, landscape.version))
            return f"needs Kubernetes {wanted}; this cluster's is {found}"
        if need.families and need.families != len(landscape.families):
            has = " and ".join(f.value for f in landscape.families)
            return f"needs a {'dual' if need.families > 1 else 'single'}-stack cluster; this one's Services have {has}"
        if need.rules and not landscape.readable:
            return "needs to read kube-proxy's table on the nodes (--node-access kube-proxy)"
        if need.hosts and not landscape.enterable:
            return "needs to enter the nodes themselves (--node-access privileged)"
        if need.host_ports and not landscape.host_ports:
            return "needs hostPorts, which this pod network does not offer (--fact host_ports)"
        if need.agent and not landscape.agent:
            return "needs to know which DaemonSet runs the pod network's agents (--fact cni_agent=NAMESPACE/NAME)"
        if need.vantage is Vantage.EXTERNAL and not landscape.externals:
            return "needs a client outside the cluster; none was given (--external)"
    return ""


def _why_not(cell: Cell, landscape: Landscape) -> str:
    needed = {f for spec in cell.specs for f in spec.families} | ({cell.family} if cell.family else set())
    for family in Family:
        if family in needed and family not in landscape.families:
            return f"this cluster's Services have no {family.value}"
    roles = {b.role for spec in cell.specs for b in spec.backends} | {b.role for b in cell.wards}
    roles.add(cell.destination.role)
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
