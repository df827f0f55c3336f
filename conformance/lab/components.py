"""Which processes a lab consists of, and what each is told on its command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from conformance.lab.addresses import AddressPlan, NodePlan
from conformance.lab.processes import API, Component

if TYPE_CHECKING:
    from conformance.lab.pki import Identities

ADMINISTRATORS = "system:masters"


def administrator(plan: AddressPlan, identities: Identities, run: Path) -> Path:
    """A kubeconfig for use inside the lab that may do everything."""
    return identities.kubeconfig(run / "admin.kubeconfig", _server(plan), "kubernetes-admin", (ADMINISTRATORS,))


FABRIC = "conformance.lab.fabric:main"
CLUSTER = (
    "conformance.lab.api.main:main",
    "conformance.lab.controllers.__main__:main",
    "conformance.lab.loadbalancer:main",
    "conformance.lab.kubelet.__main__:main",
)
"""In the order in which they are started."""

BESIDE_A_REAL_ONE = CLUSTER[1:]
"""What is the lab's own beside a real API server."""

_API, _CONTROLLERS, _LOAD_BALANCER, _KUBELET = CLUSTER


def fabric(plan: AddressPlan) -> Component:
    """Makes the network, and ends."""
    return Component("fabric", FABRIC, (str(plan.node_count),))


def iptables_check() -> Component:
    """Tries what kube-proxy's iptables mode needs of the kernel, and ends; its last two lines say what lacks."""
    return Component("iptables-check", "conformance.lab.proxy.iptables.need:main", ())


def api_server(plan: AddressPlan, identities: Identities, sockets: tuple[int, ...], faults: Path) -> Component:
    """The API server on ``sockets``, which listen already; ``faults`` is the switchboard."""
    own, kubelets = identities.api_server(), identities.api_server_to_kubelets()
    options = {
        "tls-cert": own.certificate,
        "tls-key": own.key,
        "client-ca": identities.ca,
        "sa-key": identities.service_account_key(),
        "service-cidr": ",".join(plan.service_cidrs),
        "kubelet-client-cert": kubelets.certificate,
        "kubelet-client-key": kubelets.key,
        "kubelet-ca": identities.ca,
        "kubelet-port": plan.kubelet_port,
        "advertise": "{}:{}".format(*plan.api_address),
        "faults": faults,
    }
    fds = tuple(argument for fd in sockets for argument in ("--fd", str(fd)))
    return Component(API, _API, (*fds, *_options(options)), descriptors=sockets)


def controllers(plan: AddressPlan, identities: Identities, run: Path) -> Component:
    """What stands for kube-controller-manager and kube-scheduler."""
    return Component("controllers", _CONTROLLERS, _options({"kubeconfig": manager_config(plan, identities, run)}))


def scheduler(config: Path) -> Component:
    """What stands for kube-scheduler alone; ``config`` is its kubeconfig."""
    return Component("scheduler", _CONTROLLERS, ("--only-scheduler", *_options({"kubeconfig": config})))


def manager_config(plan: AddressPlan, identities: Identities, run: Path) -> Path:
    """A kubeconfig for kube-controller-manager or what stands for it."""
    return identities.kubeconfig(run / "controllers.kubeconfig", _server(plan), "system:kube-controller-manager", ())


def scheduler_config(plan: AddressPlan, identities: Identities, run: Path) -> Path:
    """A kubeconfig for kube-scheduler or what stands for it."""
    return identities.kubeconfig(run / "scheduler.kubeconfig", _server(plan), "system:kube-scheduler", ())


def load_balancer(plan: AddressPlan, identities: Identities, run: Path, faults: Path) -> Component:
    """What stands for a cloud's load balancers."""
    # Kubernetes has no default role for a cloud's controller: whoever installs one gives it rights.
    config = identities.kubeconfig(run / "loadbalancer.kubeconfig", _server(plan), "loadbalancer", (ADMINISTRATORS,))
    pool = ",".join(plan.load_balancer_cidrs)
    return Component("loadbalancer", _LOAD_BALANCER, _options({"kubeconfig": config, "pool": pool, "faults": faults}))


def pod_network(node: NodePlan, place: Path) -> Component:
    """Prepares ``node`` for its pod network and tries that; its last two lines say what does not work."""
    return Component(f"cni-{node.name}", "conformance.lab.cni.setup:main", (str(place),), node=node.name)


def kubelet(
    plan: AddressPlan, node: NodePlan, identities: Identities, run: Path, version: str = "", cni: Path | None = None
) -> Component:
    """The kubelet of ``node``, in the node's network namespace; ``version`` is what it says it is (empty: its own).

    ``cni`` describes the pod network, None: the kubelet's own bridge.
    """
    config = run / f"kubelet-{node.name}.kubeconfig"
    own = identities.kubelet_server(node)
    options = {
        "node": node.name,
        "kubeconfig": identities.kubeconfig(config, _server(plan), f"system:node:{node.name}", ("system:nodes",)),
        "state": state_of(run, node.name),
        "zone": node.zone,
        "node-ip": ",".join(node.addresses),
        "pod-cidrs": ",".join(node.pod_cidrs),
        "cluster-dns": ",".join(plan.dns_service_ips),
        "cluster-domain": plan.cluster_domain,
        "tls-cert": own.certificate,
        "tls-key": own.key,
        "client-ca": identities.ca,
        "port": plan.kubelet_port,
    }
    if version:
        options["kubernetes-version"] = version
    if cni is not None:
        options["cni"] = cni
    return Component(f"kubelet-{node.name}", _KUBELET, _options(options), node=node.name)


def state_of(run: Path, node: str) -> Path:
    """Where the kubelet of ``node`` keeps what it knows."""
    return run / "kubelet" / node


def _server(plan: AddressPlan) -> str:
    return "https://{}:{}".format(*plan.api_address)


def _options(options: dict[str, object]) -> tuple[str, ...]:
    return tuple(text for name, value in options.items() for text in (f"--{name}", str(value)))
