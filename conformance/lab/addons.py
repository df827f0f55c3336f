"""The add-ons of every lab, as the API objects that an installer would apply: kube-proxy, cluster DNS and an agent."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import __version__
from conformance.lab.addresses import AddressPlan
from conformance.lab.faults.board import POD_FOLDER
from conformance.model.cluster import ProxyMode

Json = dict[str, Any]

_SYSTEM = "kube-system"
_FAULTS = "faults"
FAULTS_ACCOUNT = "nftconform-faults"
"""It may read what some faults need to know: Services, their endpoints, pods and nodes."""
FAULTS_MOUNT: Json = {"name": _FAULTS, "mountPath": str(POD_FOLDER)}
IMAGE = f"nftconform/lab:{__version__}"
# The cluster's authority is all they trust; aiohttp would parse the machine's many roots when it is imported.
NO_ROOTS = {"name": "SSL_CERT_FILE", "value": "/dev/null"}
ANYWHERE = [{"operator": "Exists"}]
AGENT = "lab-network-agent"
AGENT_IMAGE = f"nftconform/{AGENT}:{__version__}"
"""By which `conformance.facts.cni` knows it."""
_SLICES = "endpointslices.discovery.k8s.io"
_NODE_NAME: Json = {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}


@dataclass(frozen=True, slots=True)
class ProxyProgram:
    """What kube-proxy's pods run: ``configuration`` is YAML; ``folder`` is on the machine, and shown at the same path.

    The command finds its configuration in `PROXY_FOLDER`, and its node's name in ``$(NODE_NAME)``.
    """

    image: str
    command: tuple[str, ...]
    configuration: str
    folder: Path | None = None


PROXY_FOLDER = "/var/lib/kube-proxy"


def reference_proxy(plan: AddressPlan, mode: ProxyMode) -> ProxyProgram:
    """The lab's own."""
    files = ("--kubeconfig", f"{PROXY_FOLDER}/kubeconfig.conf", "--config", f"{PROXY_FOLDER}/config.conf")
    return ProxyProgram(IMAGE, (*python("proxy", "--node", "$(NODE_NAME)"), *files), configuration(plan, mode))


def objects(plan: AddressPlan, faults: Path, proxy: ProxyProgram) -> Iterator[tuple[str, Json]]:
    """Where to create what, in an order in which everything finds what it refers to; ``faults`` is the switchboard."""
    yield from _proxy(plan, faults, proxy)
    yield from _dns(plan, faults)
    yield from _agent(plan, faults)
    yield _account(FAULTS_ACCOUNT)
    yield _role(FAULTS_ACCOUNT, "services", "pods", "nodes", _SLICES)
    yield _bind(FAULTS_ACCOUNT, FAULTS_ACCOUNT, FAULTS_ACCOUNT)


def _proxy(plan: AddressPlan, faults: Path, program: ProxyProgram) -> Iterator[tuple[str, Json]]:
    labels = {"k8s-app": "kube-proxy"}
    yield _account("kube-proxy")
    # The role comes with the API server, as in every cluster.
    yield _bind("kubeadm:node-proxier", "system:node-proxier", "kube-proxy")
    yield (
        f"/api/v1/namespaces/{_SYSTEM}/configmaps",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "kube-proxy", "namespace": _SYSTEM, "labels": {"app": "kube-proxy"}},
            "data": {"config.conf": program.configuration, "kubeconfig.conf": _kubeconfig(plan)},
        },
    )
    volumes = [{"name": "kube-proxy", "configMap": {"name": "kube-proxy"}}, faults_volume(faults)]
    mounts = [{"name": "kube-proxy", "mountPath": PROXY_FOLDER}, FAULTS_MOUNT]
    if program.folder is not None:
        volumes.append({"name": "program", "hostPath": {"path": str(program.folder), "type": "Directory"}})
        mounts.append({"name": "program", "mountPath": str(program.folder), "readOnly": True})
    container = {
        "name": "kube-proxy",
        "image": program.image,
        "command": list(program.command),
        "env": [
            _NODE_NAME,
            # In front of the real nft the one that faults are put in with, and what a fault has in a tool's place.
            {"name": "PATH", "value": f"{POD_FOLDER}/bin:{POD_FOLDER}/tools/$(NODE_NAME):$(PATH)"},
            NO_ROOTS,
        ],
        "readinessProbe": _http("/healthz", 10256),
        "securityContext": {"privileged": True},
        "volumeMounts": mounts,
    }
    pod = {
        "metadata": {"labels": labels},
        "spec": {
            "priorityClassName": "system-node-critical",
            "serviceAccountName": "kube-proxy",
            "hostNetwork": True,
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "tolerations": ANYWHERE,
            "containers": [container],
            "volumes": volumes,
        },
    }
    yield workload("daemonsets", "DaemonSet", "kube-proxy", labels, {"template": pod})


def _role(name: str, *resources: str) -> tuple[str, Json]:
    """A ClusterRole to follow these, which are plurals with their groups."""
    parts = (resource.partition(".") for resource in resources)
    return (
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": [
                {"apiGroups": [group], "resources": [plural], "verbs": ["list", "watch"]} for plural, _, group in parts
            ],
        },
    )


def configuration(plan: AddressPlan, mode: ProxyMode) -> str:
    """kube-proxy's, in YAML."""
    return f"""\
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: {mode.value}
clusterCIDR: {",".join(plan.cluster_cidrs)}
detectLocalMode: ClusterCIDR
bindAddress: 0.0.0.0
healthzBindAddress: 0.0.0.0:10256
metricsBindAddress: 127.0.0.1:10249
clientConnection:
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
{mode.value}:
  minSyncPeriod: 300ms
  syncPeriod: 30s
"""


def _kubeconfig(plan: AddressPlan) -> str:
    # Not the Service kubernetes: it is the proxy that makes it work.
    host, port = plan.api_address
    return f"""\
apiVersion: v1
kind: Config
clusters:
- name: default
  cluster:
    certificate-authority: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
    server: https://{host}:{port}
contexts:
- name: default
  context: {{cluster: default, namespace: default, user: default}}
current-context: default
users:
- name: default
  user:
    tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token
"""


def _dns(plan: AddressPlan, faults: Path) -> Iterator[tuple[str, Json]]:
    labels = {"k8s-app": "kube-dns"}
    yield _account("coredns")
    yield _role("system:coredns", "services", "pods", "namespaces", _SLICES)
    yield _bind("system:coredns", "system:coredns", "coredns")
    container = {
        "name": "coredns",
        "image": IMAGE,
        "command": python("dns"),
        "env": [NO_ROOTS],
        "ports": [
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
        ],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "volumeMounts": [FAULTS_MOUNT],
    }
    pod = {
        "metadata": {"labels": labels},
        "spec": {
            "priorityClassName": "system-cluster-critical",
            "serviceAccountName": "coredns",
            "dnsPolicy": "Default",
            "tolerations": ANYWHERE,
            "containers": [container],
            "volumes": [faults_volume(faults)],
        },
    }
    yield workload("deployments", "Deployment", "coredns", labels, {"replicas": 1, "template": pod})
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
    ]
    yield (
        f"/api/v1/namespaces/{_SYSTEM}/services",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": "kube-dns",
                "namespace": _SYSTEM,
                "labels": {**labels, "kubernetes.io/name": "CoreDNS", "kubernetes.io/cluster-service": "true"},
            },
            "spec": {
                "selector": labels,
                "clusterIP": plan.dns_service_ips[0],
                "clusterIPs": list(plan.dns_service_ips),
                "ipFamilies": ["IPv4", "IPv6"],
                "ipFamilyPolicy": "RequireDualStack",
                "ports": ports,
            },
        },
    )


def _agent(plan: AddressPlan, faults: Path) -> Iterator[tuple[str, Json]]:
    """The pod network's, whichever that is: who enforces NetworkPolicies."""
    labels = {"k8s-app": AGENT}
    yield _account(AGENT)
    yield _role(AGENT, "networkpolicies.networking.k8s.io", "pods", "namespaces")
    yield _bind(AGENT, AGENT, AGENT)
    # Not the Service kubernetes: pods are to have a network where nobody serves Services yet.
    host, port = plan.api_address
    own = ("--node", "$(NODE_NAME)", "--last", plan.nodes[-1].name)
    container = {
        "name": "agent",
        "image": AGENT_IMAGE,
        "command": python("policy", *own, "--faults", str(POD_FOLDER)),
        "env": [
            _NODE_NAME,
            {"name": "KUBERNETES_SERVICE_HOST", "value": host},
            {"name": "KUBERNETES_SERVICE_PORT", "value": str(port)},
            NO_ROOTS,
        ],
        "securityContext": {"privileged": True},
        "volumeMounts": [FAULTS_MOUNT],
    }
    pod = {
        "metadata": {"labels": labels},
        "spec": {
            "priorityClassName": "system-node-critical",
            "serviceAccountName": AGENT,
            "hostNetwork": True,
            "tolerations": ANYWHERE,
            "containers": [container],
            "volumes": [faults_volume(faults)],
        },
    }
    yield workload("daemonsets", "DaemonSet", AGENT, labels, {"template": pod})


def faults_volume(folder: Path) -> Json:
    """The volume with the switchboard of faults, which lies on the machine."""
    return {"name": _FAULTS, "hostPath": {"path": str(folder)}}


def python(module: str, *arguments: str) -> list[str]:
    """The command of a pod that runs a module of the lab."""
    return [sys.executable, "-P", "-m", f"conformance.lab.{module}", *arguments]


def _http(path: str, port: int) -> Json:
    return {"httpGet": {"path": path, "port": port, "host": "127.0.0.1"}, "periodSeconds": 1}


def _account(name: str) -> tuple[str, Json]:
    metadata = {"name": name, "namespace": _SYSTEM}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    return f"/api/v1/namespaces/{_SYSTEM}/serviceaccounts", account


def _bind(name: str, role: str, account: str) -> tuple[str, Json]:
    group = "rbac.authorization.k8s.io"
    return (
        f"/apis/{group}/v1/clusterrolebindings",
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": _SYSTEM}],
        },
    )


def workload(plural: str, kind: str, name: str, labels: dict[str, str], spec: Json) -> tuple[str, Json]:
    """Where to create it, and the workload: ``spec`` without its selector."""
    return (
        f"/apis/apps/v1/namespaces/{_SYSTEM}/{plural}",
        {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {"name": name, "namespace": _SYSTEM, "labels": labels},
            "spec": {"selector": {"matchLabels": labels}, **spec},
        },
    )
