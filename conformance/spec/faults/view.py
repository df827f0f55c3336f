"""Faults in the API's objects as kube-proxy, or a controller beside it, sees them."""

from __future__ import annotations

from conformance.model.verdict import Mismatch
from conformance.spec.faults.damage import Damage, Site, upstream
from conformance.spec.faults.fault import Fault

_ELSEWHERE = (Mismatch.ANSWERED, Mismatch.WRONG_ENDPOINT)
_NOBODY = (Mismatch.NOT_REACHED, Mismatch.ENDPOINT_NEVER_CHOSEN)

DAMAGE: dict[Fault, Damage] = {
    Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE: Damage(
        Site.VIEW,
        "an externalTrafficPolicy Local is shown as Cluster",
        "With externalTrafficPolicy Local external traffic reaches endpoints of the node that it enters, or none.",
        _ELSEWHERE,
    ),
    Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE: Damage(
        Site.VIEW,
        "an internalTrafficPolicy Local is shown as Cluster",
        "With internalTrafficPolicy Local clients in the cluster reach endpoints of their own node, or none.",
        _ELSEWHERE,
    ),
    Fault.NOT_READY_CHOSEN: Damage(
        Site.VIEW,
        "every endpoint is shown ready",
        "An endpoint that is not ready gets no new connections, and counts for no health check.",
        (*_ELSEWHERE, Mismatch.WRONG_WORD),
    ),
    Fault.TERMINATING_NOT_USED: Damage(
        Site.VIEW,
        "endpoints that terminate are shown as ones that do not serve",
        "Terminating endpoints that still serve are used where there is no ready one.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.LOCAL_TERMINATING_NOT_USED: Damage(
        Site.VIEW,
        "the same, for Services with a Local policy that have a ready endpoint anywhere",
        "With a Local policy a node's own terminating endpoints count before ready ones elsewhere.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.EXTERNAL_IP_NOT_SERVED: Damage(
        Site.VIEW,
        "external IPs are not shown",
        "Every node serves a Service's external IPs.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.LOAD_BALANCER_NOT_SERVED: Damage(
        Site.VIEW,
        "the load balancer's status is not shown",
        "Every node serves the addresses in a Service's load balancer status.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.PROXY_MODE_INGRESS_CAPTURED: Damage(
        Site.VIEW,
        "every address of a load balancer is shown with ipMode VIP",
        "Nodes leave a load balancer's address of ipMode Proxy alone.",
        (Mismatch.ANSWERED,),
    ),
    Fault.HINTS_IGNORED: Damage(
        Site.VIEW,
        "no topology hint is shown",
        "Where every endpoint has a hint, a node uses those that are hinted for it.",
        (Mismatch.WRONG_ENDPOINT,),
    ),
    Fault.HINTS_NOT_DROPPED: Damage(
        Site.VIEW,
        "once a Service has hints, endpoints without one for the node or its zone are not shown",
        "Hints are ignored where an endpoint lacks one, where none is for the node, and when they are gone.",
        _NOBODY,
    ),
    Fault.LOCAL_POLICY_HEEDS_HINTS: Damage(
        Site.VIEW,
        "for a Local policy the node's own endpoints that are hinted for other zones are not shown",
        "A Local policy goes before topology hints.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.FOREIGN_SERVICE_SERVED: Damage(
        Site.VIEW,
        "the labels that take a Service or a slice away from kube-proxy are not shown",
        "kube-proxy leaves alone what is labelled as headless, or as another proxy's.",
        (Mismatch.ANSWERED, Mismatch.WRONG_WORD),
    ),
    Fault.UNREADY_WITHHELD: Damage(
        Site.VIEW,
        "endpoints are shown as if publishNotReadyAddresses were not set",
        "With publishNotReadyAddresses endpoints are reached before they are ready.",
        _NOBODY,
    ),
    Fault.CONDITIONS_MISREAD: Damage(
        Site.VIEW,
        "an endpoint that does not say whether it is ready is shown as one that is not",
        "An endpoint without conditions is ready.",
        _NOBODY,
    ),
    Fault.TERMINATING_TWIN_HIDES: Damage(
        Site.VIEW,
        "a ready endpoint is not shown while one that terminates has its address",
        "A ready endpoint is reached whatever else has had its address.",
        (Mismatch.NOT_REACHED,),
        upstream(135266, 135593),
    ),
    Fault.ODD_SLICE_STOPS_OTHERS: Damage(
        Site.VIEW,
        "while there is an odd slice, its Service's others are not shown, and no change of any",
        "A slice that routes nothing keeps no other from being followed.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.STATUS_NOT_FOLLOWED: Damage(
        Site.VIEW,
        "the first addresses that a load balancer's status told stay the ones that are shown",
        "Nodes serve the addresses that a Service's load balancer status tells now.",
        (Mismatch.ANSWERED,),
    ),
    Fault.POLICY_CHANGE_NOT_FOLLOWED: Damage(
        Site.VIEW,
        "traffic policies and source ranges are shown as they were at first",
        "New connections follow a changed traffic policy, and changed source ranges.",
        _ELSEWHERE,
    ),
    Fault.SOURCE_RANGES_STRAY_BLANKS: Damage(
        Site.VIEW,
        "source ranges with blanks around them are not shown",
        "Blanks around a source range do not matter.",
        (Mismatch.ANSWERED, Mismatch.NOT_REACHED),
    ),
    Fault.CHANGE_LOST: Damage(
        Site.VIEW,
        "every other change of an object is not shown, until it changes again",
        "However quickly changes follow each other, the rules end up as the last ones say.",
        (Mismatch.NOT_REACHED, Mismatch.ENDPOINT_NEVER_CHOSEN, *_ELSEWHERE),
        upstream(112604, 121362),
    ),
    Fault.STALE_ENDPOINT: Damage(
        Site.VIEW,
        "endpoints and slices that are gone are shown for as long as their Service is there",
        "An endpoint that is gone is not chosen any more, and counts for no health check.",
        (*_ELSEWHERE, Mismatch.SOMETIMES_LOST, Mismatch.WRONG_WORD),
    ),
    Fault.LOAD_BALANCER_CLASS_IGNORED: Damage(
        Site.BALANCER,
        "the controller gives addresses to Services of every loadBalancerClass",
        "A Service with a loadBalancerClass is left to the controller of that class.",
        (Mismatch.WRONG_DECISION,),
    ),
}
