"""API objects of a run. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformance.arrange.run import ENDS, ROLE, Run
from conformance.cluster.pods import AGENT_FILE, AGENT_FOLDER, AGENT_PATH
from conformance.model.case import Backend, ServiceSpec

JSON = dict[str, Any]
SERVICE_PORT = 80
AGENT_MAP = "agent"
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 65534,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def namespace(run: Run, name: str, *, privileged: bool) -> JSON:
    """A namespace with its Pod Security level."""
    level = "privileged" if privileged else "restricted"
    security = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn", "audit")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": run.labels | security}}


def agent_map(run: Run, where: str, source: str) -> JSON:
    """The ConfigMap that carries the agent."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": AGENT_MAP, "namespace": where, "labels": run.labels},
        "data": {AGENT_FILE: source},
    }


def pod(
    run: Run, where: str, name: str, node: str, *, port: int, role: str, labels: JSON | None = None, host: bool = False
) -> JSON:
    """A pod on ``node`` that serves on ``port`` under its own name and lets agents be started in it."""
    ports = [{"name": p.lower(), "containerPort": port, "protocol": p} for p in ("TCP", "UDP")]
    probe = {"tcpSocket": {"port": port}, "periodSeconds": 1, "timeoutSeconds": 2, "failureThreshold": 3}
    container = {
        "name": "agent",
        "image": run.image,
        "command": ["python3", "-u", AGENT_PATH, "serve", "--port", str(port), "--name", name],
        "ports": ports,
        "readinessProbe": probe,
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": AGENT_MAP, "mountPath": AGENT_FOLDER, "readOnly": True}],
    }
    spec: JSON = {
        "nodeName": node,
        "hostNetwork": host,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "restartPolicy": "Always",
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
        "volumes": [{"name": AGENT_MAP, "configMap": {"name": AGENT_MAP}}],
    }
    if run.pull_secret:
        spec["imagePullSecrets"] = [{"name": run.pull_secret}]
    metadata = {"name": name, "namespace": where, "labels": run.labels | {ROLE: role} | (labels or {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def ends_label(endpoints: Iterable[Backend]) -> str:
    """The label key that the pods of one set of endpoints have, and that its Services select."""
    return f"{ENDS}/{'_'.join(sorted(b.name for b in endpoints)) or 'none'}"


def ends_labels(backend: Backend, specs: Iterable[ServiceSpec]) -> dict[str, str]:
    """The label of every set of endpoints that ``backend`` is in: one pod serves every Service that wants it."""
    return {ends_label(spec.endpoints): "yes" for spec in specs if backend in spec.endpoints}


def service(run: Run, spec: ServiceSpec, external_ips: tuple[str, ...] = ()) -> JSON:
    """The Service of ``spec``: TCP and UDP on port 80, dual-stack where the cluster is."""
    body: JSON = {
        "type": spec.type.value,
        "selector": {ends_label(spec.endpoints): "yes"},
        "ipFamilyPolicy": "PreferDualStack",
        "internalTrafficPolicy": spec.internal_policy.value,
        "ports": [
            {"name": p.lower(), "protocol": p, "port": SERVICE_PORT, "targetPort": run.backend_port}
            for p in ("TCP", "UDP")
        ],
    }
    if spec.external_policy.value != "Cluster":  # the API refuses the field where there is no external traffic
        body["externalTrafficPolicy"] = spec.external_policy.value
    if spec.affinity:
        body["sessionAffinity"] = "ClientIP"
    if spec.external_ip:
        body["externalIPs"] = list(external_ips)
    metadata = {"name": spec.name, "namespace": run.namespace, "labels": run.labels}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": body}
