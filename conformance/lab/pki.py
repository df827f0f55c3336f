"""Who is who in the lab: every certificate, key and kubeconfig that its components and its user need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from conformance.lab.addresses import AddressPlan, NodePlan
from conformance.lab.api.certificates import Authority, private_key, public_key
from conformance.lab.components import ADMINISTRATORS


@dataclass(frozen=True, slots=True)
class Credentials:
    """Files that prove who somebody is."""

    certificate: Path
    key: Path


class Identities:
    """One certificate authority, and what it signs for whom, in ``folder`` (made when it is missing).

    The authority's own key is never written: whoever holds the folder cannot make new identities.
    """

    def __init__(self, folder: Path, plan: AddressPlan) -> None:
        self._plan = plan
        self._folder = folder
        self._authority = Authority(folder)
        self.ca = self._authority.path

    def api_server(self) -> Credentials:
        """The API server's, for every address and name under which it is dialled."""
        names = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
        domain = f"kubernetes.default.svc.{self._plan.cluster_domain}"
        services = tuple(str(network[1]) for network in self._plan.service_networks)
        hosts = ("127.0.0.1", "::1", *names, domain, *self._plan.fabric_gateway_addresses, *services)
        return Credentials(*self._authority.issue("apiserver", "kube-apiserver", hosts=hosts))

    def api_server_to_kubelets(self) -> Credentials:
        """What the API server shows when it opens an exec or a log."""
        name = "kube-apiserver-kubelet-client"
        return Credentials(*self._authority.issue(name, name, (ADMINISTRATORS,)))

    def etcd_server(self) -> Credentials:
        """What etcd shows kube-apiserver, which is on the same loopback."""
        return Credentials(*self._authority.issue("etcd", "etcd", hosts=("localhost", "127.0.0.1")))

    def api_server_to_etcd(self) -> Credentials:
        """What kube-apiserver shows etcd."""
        return Credentials(*self._authority.issue("apiserver-etcd-client", "kube-apiserver-etcd-client"))

    def kubelet_server(self, node: NodePlan) -> Credentials:
        """What a node shows the API server."""
        return Credentials(
            *self._authority.issue(
                f"{node.name}-server", f"system:node:{node.name}", ("system:nodes",), hosts=(node.name, *node.addresses)
            )
        )

    def service_account_key(self) -> Path:
        """The key that signs the tokens of pods."""
        path = self._folder / "sa.key"
        path.touch(mode=0o600)
        path.write_bytes(private_key())
        return path

    def service_account_public_key(self, key: Path) -> Path:
        """What checks the tokens that ``key`` signs; kube-apiserver does not find it in the key itself."""
        path = key.with_suffix(".pub")
        path.write_bytes(public_key(key.read_bytes()))
        return path

    def kubeconfig(self, path: Path, server: str, user: str, groups: tuple[str, ...]) -> Path:
        """A kubeconfig at ``path`` (mode 600) whose only context is ``lab``."""
        certificate, key = self._authority.issue(path.stem, user, groups)
        self._authority.kubeconfig(path, server, certificate, key)
        return path
