"""The processes of a real control plane, and what each is told on its command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.lab import components
from conformance.lab.addresses import AddressPlan
from conformance.lab.processes import Component
from conformance.lab.real.binaries import Binaries

if TYPE_CHECKING:
    from conformance.lab.pki import Identities

_PROGRAM = "conformance.lab.real.program:main"
_RELAY = "conformance.lab.real.relay:main"
ENTRIES = (_PROGRAM, _RELAY, *components.BESIDE_A_REAL_ONE)
"""Everything that is forked, in the order in which it is started."""

_ETCD = "127.0.0.1:2379"
_ETCD_PEER = "http://127.0.0.1:2380"
_QPS = {"kube-api-qps": 500, "kube-api-burst": 1000}
"""People wait for the lab: the controllers are not held back as in a cluster of thousands of nodes."""


def api(
    binaries: Binaries, plan: AddressPlan, identities: Identities, run: Path, key: Path
) -> tuple[Component, Component]:
    """The store and its API server; ``key`` signs the tokens of pods."""
    return _etcd(binaries, identities, run), _api_server(binaries, plan, identities, run, key)


def controllers(
    binaries: Binaries, plan: AddressPlan, identities: Identities, run: Path, key: Path
) -> tuple[Component, Component]:
    """kube-controller-manager and a scheduler: both give up when no API server answers them soon."""
    config = components.scheduler_config(plan, identities, run)
    scheduler = _scheduler(binaries, config) if binaries.scheduler else components.scheduler(config)
    return _controller_manager(
        binaries, plan, identities, components.manager_config(plan, identities, run), key
    ), scheduler


def relay(plan: AddressPlan, socket: int) -> Component:
    """From ``socket``, which listens outside the lab, to kube-apiserver."""
    target = "{}:{}".format(*plan.api_address)
    return Component("relay", _RELAY, ("--fd", str(socket), "--to", target), descriptors=(socket,))


def _etcd(binaries: Binaries, identities: Identities, run: Path) -> Component:
    """The store, on the loopback of the network between the nodes; it lasts as long as the lab."""
    own = identities.etcd_server()
    options = {
        "name": "lab",
        "data-dir": run / "etcd",
        "listen-client-urls": f"https://{_ETCD}",
        "advertise-client-urls": f"https://{_ETCD}",
        "cert-file": own.certificate,
        "key-file": own.key,
        "client-cert-auth": "true",
        "trusted-ca-file": identities.ca,
        # The gateway would show the server's certificate as a client's.
        "enable-grpc-gateway": "false",
        "listen-peer-urls": _ETCD_PEER,
        "initial-advertise-peer-urls": _ETCD_PEER,
        "initial-cluster": f"lab={_ETCD_PEER}",
        "log-level": "warn",
    }
    return _program("etcd", binaries.etcd, options)


def _api_server(binaries: Binaries, plan: AddressPlan, identities: Identities, run: Path, key: Path) -> Component:
    """kube-apiserver on the network between the nodes."""
    own, kubelets, store = identities.api_server(), identities.api_server_to_kubelets(), identities.api_server_to_etcd()
    host, port = plan.api_address
    options: dict[str, object] = {
        "etcd-servers": f"https://{_ETCD}",
        "etcd-cafile": identities.ca,
        "etcd-certfile": store.certificate,
        "etcd-keyfile": store.key,
        "bind-address": host,
        "advertise-address": host,
        "secure-port": port,
        "cert-dir": run / "apiserver",
        "tls-cert-file": own.certificate,
        "tls-private-key-file": own.key,
        "client-ca-file": identities.ca,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "allow-privileged": "true",
        "service-cluster-ip-range": ",".join(plan.service_cidrs),
        "service-account-issuer": f"https://kubernetes.default.svc.{plan.cluster_domain}",
        "service-account-key-file": identities.service_account_public_key(key),
        "service-account-signing-key-file": key,
        "kubelet-client-certificate": kubelets.certificate,
        "kubelet-client-key": kubelets.key,
        "kubelet-certificate-authority": identities.ca,
        "kubelet-preferred-address-types": "InternalIP,Hostname",
    }
    if gates := feature_gates(binaries.version):
        options["feature-gates"] = gates
    return _program("kube-apiserver", binaries.api_server, options)


def feature_gates(version: str) -> str:
    """What kube-apiserver ``version`` must be told so that WebSockets of exec go to the kubelet as they come.

    From 1.30 to 1.35 it translates the newest form of them into SPDY, which our kubelet does not speak (KEP-4006); from
    1.36 on it does not where the node declares that it understands them (`ExtendWebSocketsToKubelet`).
    """
    found = re.match(r"v(\d+)\.(\d+)", version)
    translates = found is not None and (1, 30) <= (int(found[1]), int(found[2])) < (1, 36)
    return "TranslateStreamCloseWebsocketRequests=false" if translates else ""


def _controller_manager(
    binaries: Binaries, plan: AddressPlan, identities: Identities, config: Path, key: Path
) -> Component:
    """kube-controller-manager with its own controllers' accounts; nodes come with their pod CIDRs."""
    options: dict[str, object] = {
        "kubeconfig": config,
        "bind-address": "127.0.0.1",
        "leader-elect": "false",
        "use-service-account-credentials": "true",
        "service-account-private-key-file": key,
        "root-ca-file": identities.ca,
        "allocate-node-cidrs": "false",
        "service-cluster-ip-range": ",".join(plan.service_cidrs),
        **_QPS,
    }
    return _program("kube-controller-manager", binaries.controller_manager, options)


def _scheduler(binaries: Binaries, config: Path) -> Component:
    """kube-scheduler."""
    options: dict[str, object] = {
        "kubeconfig": config,
        "bind-address": "127.0.0.1",
        "leader-elect": "false",
        **_QPS,
    }
    return _program("kube-scheduler", binaries.scheduler, options)


def _program(name: str, path: str, options: dict[str, object]) -> Component:
    return Component(name, _PROGRAM, (path, *(f"--{option}={value}" for option, value in options.items())))
