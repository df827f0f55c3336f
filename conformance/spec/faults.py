"""The catalogue of faults: ways in which a Service network is known to be wrong, each of which some case must catch."""

from __future__ import annotations

from enum import Enum


class Fault(Enum):
    """One way to be wrong, as the sentence that a vendor reads; the lab can switch each of them on."""

    NO_SERVICE_RULES = "no rule for a Service reaches the kernel"
    ONE_FAMILY_MISSING = "one IP family of a dual-stack Service is not programmed"
    ONE_PROTOCOL_MISSING = "one protocol of a Service is not programmed"
    ONE_PORT_MISSING = "one port of a multi-port Service is not programmed"
    ENDPOINT_LEFT_OUT = "an endpoint of the Service is never chosen"
    SKEWED_LOAD = "endpoints are not chosen equally often"
    STALE_ENDPOINT = "an endpoint that is gone is still chosen"
    NOT_READY_CHOSEN = "an endpoint that is not ready is chosen"
    TERMINATING_NOT_USED = "terminating endpoints are not used when they are all there is"
    NO_ENDPOINTS_DROPS = "a Service without endpoints drops instead of refusing"
    NO_ENDPOINTS_ANSWERS = "a Service without endpoints answers"
    UNUSED_PORT_FORWARDED = "a port that a ClusterIP does not have leaves the node instead of being refused"
    NO_HAIRPIN = "an endpoint cannot reach itself through its Service"
    NO_MASQUERADE = "traffic that must be masqueraded keeps its source address, and its answers get lost"
    MASQUERADE_EVERYTHING = "traffic that must keep its source address is masqueraded"
    NODE_PORT_NOT_SERVED = "node ports are not served"
    NODE_PORT_ON_EVERY_ADDRESS = "node ports answer on addresses that are not the node's primary one"
    NODE_PORT_ON_LOOPBACK = "node ports answer on the loopback address"
    EXTERNAL_IP_NOT_SERVED = "external IPs are not served"
    LOAD_BALANCER_NOT_SERVED = "load balancer addresses are not served inside the cluster"
    LOCAL_POLICY_FORWARDS_TO_REMOTE = "externalTrafficPolicy Local forwards to endpoints of other nodes"
    LOCAL_POLICY_MASQUERADES = "externalTrafficPolicy Local loses the client's address"
    LOCAL_POLICY_REFUSES = "a Local policy without local endpoint refuses instead of dropping"
    LOCAL_POLICY_NO_SHORT_CIRCUIT = "externalTrafficPolicy Local is applied to the cluster's own clients"
    INTERNAL_LOCAL_FORWARDS_TO_REMOTE = "internalTrafficPolicy Local forwards to endpoints of other nodes"
    AFFINITY_IGNORED = "session affinity is ignored"
    AFFINITY_NOT_SHARED = "session affinity is not shared between the addresses of a Service"
    SOURCE_RANGES_IGNORED = "loadBalancerSourceRanges lets everybody in"
    SOURCE_RANGES_DROP_ALL = "loadBalancerSourceRanges keeps everybody out"
    HINTS_IGNORED = "topology hints are ignored"
    PROXY_MODE_INGRESS_CAPTURED = "a load balancer address of ipMode Proxy is captured on the node"
    FOREIGN_SERVICE_SERVED = "a Service that belongs to another proxy, or is headless, is programmed"
