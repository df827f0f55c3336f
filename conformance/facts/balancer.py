"""Who gives Services of type LoadBalancer their addresses. The parser is pure."""

from __future__ import annotations

from conformance.facts import cni
from conformance.facts.answer import JSON, Answer, at, true
from conformance.facts.workloads import Found, Product, Workloads, named
from conformance.model.facts import Fact

KUBE_VIP = "kube-vip"
PRODUCTS = (
    Product("metallb", r"metallb[/-]controller|mirrored-metallb-controller"),
    Product(KUBE_VIP, r"kube-vip(-iptables|-cloud-provider)?"),
    Product("klipper", r"klipper-lb"),
    Product("purelb", r"purelb/allocator"),
    Product("openelb", r"openelb(-controller)?"),
    Product("loxilb", r"kube-loxilb"),
    Product("aws-load-balancer-controller", r"aws-load-balancer-controller|aws-alb-ingress-controller"),
    Product("aws cloud controller", r"provider-aws/cloud-controller-manager"),
    Product("azure cloud controller", r"azure-cloud-controller-manager"),
    Product("gcp cloud controller", r"cloud-provider-gcp/cloud-controller-manager"),
    Product("openstack cloud controller", r"openstack-cloud-controller-manager"),
    Product("hetzner cloud controller", r"hcloud-cloud-controller-manager"),
    Product("digitalocean cloud controller", r"digitalocean-cloud-controller-manager"),
    Product("linode cloud controller", r"linode-cloud-controller-manager"),
    Product("oci cloud controller", r"cloud-provider-oci"),
)
_ANNOUNCED_BY_CILIUM = ("enable-l2-announcements", "enable-bgp-control-plane")


def load_balancer(seen: Workloads, cilium_config: Answer[JSON]) -> Fact[str]:
    """The implementations that run; one outside the cluster (cloud-provider-kind, a cloud's own) leaves no trace."""
    running = [found for found in seen.of(PRODUCTS) if _serves(found)]
    announced = next((k for k in _ANNOUNCED_BY_CILIUM if true(at(cilium_config.found, "data", k))), None)
    if not running and announced:
        return Fact(cni.CILIUM, f"{cilium_config.where}, {announced}")
    return named(running, seen, "load balancer")


def _serves(found: Found) -> bool:
    """kube-vip may be there for the control plane's address alone."""
    if found.product != KUBE_VIP or found.container.image.endswith("cloud-provider"):
        return True
    return found.container.env.get("svc_enable") == "true" or found.container.flags.get("services") == "true"
