"""Faults in what the API server and cluster DNS answer."""

from __future__ import annotations

from conformance.model.verdict import Mismatch
from conformance.spec.faults.damage import Damage, Site, upstream
from conformance.spec.faults.fault import Fault

_DECISION, _NAME = (Mismatch.WRONG_DECISION,), (Mismatch.WRONG_NAME,)


def _coredns(*numbers: int) -> tuple[str, ...]:
    return tuple(f"coredns/coredns#{number}" for number in numbers)


def _dns(how: str, promise: str, *field: str) -> Damage:
    return Damage(Site.DNS, how, promise, _NAME, field)


def _api(how: str, promise: str, *numbers: int) -> Damage:
    return Damage(Site.API, how, promise, _DECISION, upstream(*numbers))


DAMAGE: dict[Fault, Damage] = {
    Fault.API_TAKES_INVALID: _api(
        "the validation of Services is skipped",
        "A Service that breaks a rule of its fields is refused, and the field is named.",
        4897,
        131497,
    ),
    Fault.API_REFUSES_VALID: _api(
        "new Services with names that start with a digit, IPv6 first, shared node ports, bounds of affinity or external"
        " IPs are refused",
        "A Service that breaks no rule is taken.",
        136475,
    ),
    Fault.API_REFUSES_CHANGE: _api(
        "every change of a Service's spec, labels or annotations is refused",
        "Whatever is not said to be immutable may be changed.",
        97797,
        54898,
    ),
    Fault.API_DEFAULT_MISSING: _api(
        "fields that were not asked for are taken out again before the Service is stored",
        "A field that has a default has a value, whether it was asked for or not.",
    ),
    Fault.API_ALLOCATES_NOTHING: _api(
        "addresses and ports that were not asked for are taken out again before the Service is stored",
        "A Service has the ClusterIPs, node ports and the health check node port that its type calls for.",
    ),
    Fault.API_ALLOCATES_UNWANTED: _api(
        "allocateLoadBalancerNodePorts is not looked at when a load balancer is created",
        "With allocateLoadBalancerNodePorts false a load balancer has only the node ports that were asked for.",
    ),
    Fault.API_ALLOCATES_TWICE: _api(
        "an address or a port that is asked for is not looked up in its pool",
        "An address or a node port belongs to one Service, and comes from the cluster's range.",
        109927,
        54885,
    ),
    Fault.API_ALLOCATES_ANEW: _api(
        "every change of a Service gives back its addresses and ports, and allocates others",
        "A Service keeps its ClusterIPs and node ports through every change that does not ask for others.",
        103532,
    ),
    Fault.API_IMMUTABLE_CHANGES: _api(
        "changes of ClusterIPs, IP families, load balancer class and health check node port are not compared with the"
        " past",
        "A ClusterIP and its family, a load balancer's class and its health check node port stay once they are set.",
    ),
    Fault.API_KEEPS_ALLOCATED: _api(
        "nothing is given back to the pools, and IPAddress objects stay",
        "An address or a port that a Service gives up is free at once.",
        104769,
        92285,
        120536,
        31757,
    ),
    Fault.API_KEEPS_UNUSED: _api(
        "fields are not dropped from a Service whose type or policy changes",
        "A Service loses what its new type has no use for.",
        97797,
    ),
    Fault.API_OVERWRITES: _api(
        "creating a Service replaces the one of its name, and resourceVersion is not compared",
        "A name belongs to one Service, and a change of an older version is refused.",
    ),
    Fault.API_DELETE_LOST: _api(
        "the first request to delete a Service is answered, and does nothing",
        "A Service that is deleted, and that no finalizer holds, is gone.",
    ),
    Fault.API_FINALIZER_IGNORED: _api(
        "finalizers are taken off a Service that is deleted",
        "A Service with a finalizer stays until the finalizer is taken off.",
    ),
    Fault.API_DRY_RUN_STORED: _api(
        "a dry run is treated as a request for real",
        "A dry run leaves nothing behind.",
    ),
    Fault.API_STATUS_WITH_SPEC: _api(
        "the status that comes with a Service's spec is stored",
        "A Service's status is written through its subresource alone.",
    ),
    Fault.API_SELECTOR_IGNORED: _api(
        "of the selectors of a list of Services only the first label counts",
        "A list has the objects that its label and field selectors ask for, and no others.",
    ),
    Fault.DNS_FAMILY_MISSING: _dns(
        "IPv6 addresses are left out", "A dual-stack Service has A and AAAA records.", *_coredns(4202)
    ),
    Fault.DNS_ENDPOINT_MISSING: _dns(
        "the last of several endpoints is left out",
        "The name of a headless Service has the addresses of all its ready endpoints.",
        *_coredns(6210),
    ),
    Fault.DNS_ENDPOINTS_AS_ADDRESS: _dns(
        "Services with a ClusterIP are treated as headless", "The name of a Service has its ClusterIPs as addresses."
    ),
    Fault.DNS_UNREADY_LISTED: _dns(
        "the condition ready of endpoints is not looked at",
        "The name of a headless Service has no address of an endpoint that is not ready.",
        *_coredns(4594),
        "kubernetes/dns#472",
    ),
    Fault.DNS_UNREADY_WITHHELD: _dns(
        "endpoints are left out by their condition serving, which publishNotReadyAddresses does not change",
        "With publishNotReadyAddresses a headless Service's name has the addresses of all its endpoints.",
        *upstream(58662),
    ),
    Fault.DNS_HOSTNAME_IGNORED: _dns(
        "endpoints have names after their addresses only",
        "An endpoint of a headless Service with a hostname has a name of its own.",
    ),
    Fault.DNS_SRV_MISSING: _dns(
        "ports are forgotten", "Each named port of a Service has an SRV record.", *upstream(80175)
    ),
    Fault.DNS_SRV_WRONG_PORT: _dns(
        "the target port takes the port's place", "An SRV record of a Service has the number of the Service's port."
    ),
    Fault.DNS_NO_ALIAS: _dns(
        "ExternalName Services have no records",
        "The name of an ExternalName Service is an alias of the external name.",
        *_coredns(2688),
    ),
    Fault.DNS_STALE: _dns(
        "changes and deletions of Services are not followed",
        "The records of a Service follow its changes.",
        *_coredns(3432, 3879),
        "kubernetes/dns#60",
    ),
    Fault.DNS_NAME_INVENTED: _dns(
        "a name below a namespace that should not exist has addresses",
        "A name that has no Service, or a headless one without ready endpoints, has no address.",
    ),
}
