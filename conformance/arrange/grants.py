"""What a run must be permitted to do: what every run does, and what only some cases ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from conformance.arrange import disturbing, lease
from conformance.arrange.balancing import Mode
from conformance.arrange.terms import Terms
from conformance.cluster.grants import Grant
from conformance.model.case import Ask, Become, Case, Matrix, Request, ServiceSpec, Submission, Verb

SERVICES, STATUS, SLICES, MIRRORED = "services", "services/status", "endpointslices.discovery.k8s.io", "endpoints"
POLICIES = "networkpolicies.networking.k8s.io"

ALWAYS = (
    Grant("list", "nodes"),
    *(Grant(verb, "namespaces") for verb in ("create", "delete", "list")),
    Grant("get", "serviceaccounts"),
    Grant("create", "configmaps"),
    *(Grant(verb, "pods") for verb in ("create", "list")),
    # A WebSocket opens with GET; since 1.35 it needs what a POST needs as well.
    *(Grant(verb, "pods/exec") for verb in ("create", "get")),
    *(Grant(verb, SERVICES) for verb in ("create", "delete", "list")),
    Grant("list", SLICES),
)
"""Without one of these there is no run. Namespaces have names of their own in every run: no Role can name them."""

HELPFUL = (Grant("list", "events"), lease.LOOK)
"""Why pods do not start, and whether somebody else disturbs the cluster."""

_BY_VERB = {
    Verb.CREATE: (Grant("create", SERVICES), Grant("get", SERVICES)),
    Verb.CHANGE: (Grant("get", SERVICES), Grant("patch", SERVICES)),
    Verb.REPLACE: (Grant("get", SERVICES), Grant("update", SERVICES)),
    Verb.REPORT: (Grant("get", SERVICES), Grant("patch", STATUS)),
    Verb.READ: (Grant("get", SERVICES),),
    Verb.LIST: (Grant("list", SERVICES),),
    Verb.FIND: (Grant("list", SERVICES),),
    Verb.ADDRESS: (Grant("get", "ipaddresses.networking.k8s.io"),),
    Verb.RANGE: (Grant("get", "servicecidrs.networking.k8s.io", names=("kubernetes",)),),
    Verb.DELETE: (Grant("delete", SERVICES),),
    Verb.CLEAR: (Grant("deletecollection", SERVICES),),
}


def of_rows(rows: Iterable[Case | Matrix]) -> Iterable[Grant]:
    """What ``rows`` ask for besides, some of it more than once; a cell that lacks it is unknown."""
    return chain.from_iterable(_of_case(row) if isinstance(row, Case) else _of_specs(row.services) for row in rows)


def of_terms(terms: Terms) -> Iterable[Grant]:
    """What ``terms`` bring with them."""
    if terms.image_pull_secret:
        namespace, name = terms.image_pull_secret.split("/")
        yield Grant("get", "secrets", namespace, (name,))
        yield Grant("create", "secrets")
    if terms.lb == Mode.STATUS_PATCH.value:
        yield Grant("patch", STATUS)
    if terms.disruptive:
        yield from (*lease.GRANTS, *disturbing.GRANTS)


def _of_case(case: Case) -> Iterable[Grant]:
    asked = [step for step in case.story if isinstance(step, Ask)]
    changes = [step.services for step in case.story if isinstance(step, Become)]
    specs = list(chain(case.services, *changes))
    policies = [case.policies, *(step.policies or () for step in case.story if isinstance(step, Become))]
    if any(policies):
        # A policy of the kit's own shows when the others are in force: it is made and deleted again and again.
        yield from (Grant(verb, POLICIES) for verb in ("create", "delete", "list"))
    if len([one for one in policies if one]) > 1:
        yield Grant("update", POLICIES)
    yield from _of_specs(specs)
    if changes:
        yield Grant("patch", SERVICES)
    if changes and any(spec.slices is not None for spec in specs):
        yield from (Grant(verb, SLICES) for verb in ("delete", "update"))
    for step in asked:
        if isinstance(step.what, Submission):
            yield from _of_submission(step.what)


def _of_specs(specs: Iterable[ServiceSpec]) -> Iterable[Grant]:
    for spec in specs:
        if spec.slices is not None:
            yield Grant("create", SLICES)
        if spec.mirrored:
            yield from (Grant(verb, MIRRORED) for verb in ("create", "update"))
        if spec.ingress is not None:
            yield Grant("patch", STATUS)


def _of_submission(what: Submission) -> Iterable[Grant]:
    requests: tuple[Request, ...] = what.requests or (what.decisive,)
    return chain([Grant("get", SERVICES)], *(_BY_VERB[r.verb] for r in requests))
