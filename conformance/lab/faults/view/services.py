"""What a Service says: its policies, its addresses, and whether it is kube-proxy's at all."""

from __future__ import annotations

from conformance.lab.faults.view.objects import ingress, spec, with_ingress, with_spec, without_labels
from conformance.lab.faults.view.registry import SERVICES, SLICES, Around, Json, puts_in
from conformance.spec.faults import Fault

_NOT_OURS = ("service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless")


@puts_in(Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE, SERVICES)
def external_policy_is_cluster(service: Json, _around: Around) -> Json:
    """An externalTrafficPolicy Local is shown as Cluster."""
    if spec(service).get("externalTrafficPolicy") != "Local":
        return service
    return with_spec(service, {"externalTrafficPolicy": "Cluster"})


@puts_in(Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE, SERVICES)
def internal_policy_is_cluster(service: Json, _around: Around) -> Json:
    """An internalTrafficPolicy Local is shown as Cluster."""
    if spec(service).get("internalTrafficPolicy") != "Local":
        return service
    return with_spec(service, {"internalTrafficPolicy": "Cluster"})


@puts_in(Fault.EXTERNAL_IP_NOT_SERVED, SERVICES)
def no_external_ips(service: Json, _around: Around) -> Json:
    """External IPs are not shown."""
    return with_spec(service, {"externalIPs": None})


@puts_in(Fault.LOAD_BALANCER_NOT_SERVED, SERVICES)
def no_ingress(service: Json, _around: Around) -> Json:
    """The load balancer's status is not shown."""
    return with_ingress(service, ()) if ingress(service) else service


@puts_in(Fault.PROXY_MODE_INGRESS_CAPTURED, SERVICES)
def every_ingress_is_a_vip(service: Json, _around: Around) -> Json:
    """Every address of the load balancer is shown with ipMode VIP."""
    return with_ingress(service, ({**one, "ipMode": "VIP"} if "ip" in one else one for one in ingress(service)))


@puts_in(Fault.SOURCE_RANGES_STRAY_BLANKS, SERVICES)
def no_range_with_blanks(service: Json, _around: Around) -> Json:
    """Source ranges with blanks around them are not shown."""
    ranges = spec(service).get("loadBalancerSourceRanges") or ()
    return with_spec(service, {"loadBalancerSourceRanges": [each for each in ranges if each == each.strip()] or None})


@puts_in(Fault.FOREIGN_SERVICE_SERVED, SERVICES)
@puts_in(Fault.FOREIGN_SERVICE_SERVED, SLICES)
def ours(obj: Json, _around: Around) -> Json:
    """The labels that take a Service or a slice away from kube-proxy are not shown."""
    return without_labels(obj, _NOT_OURS)
