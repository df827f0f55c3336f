"""API objects of a run. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformance.arrange.run import ENDS, ROLE, WHY, Run
from conformance.cluster.pods import AGENT_FILE, AGENT_FOLDER, AGENT_PATH
from conformance.model import manifest
from conformance.model.case.backend import Backend, Breed
from conformance.model.case.policy_spec import PolicySpec
from conformance.model.case.service_spec import ServiceSpec
from conformance.model.kube import HostPort, ServiceType
from conformance.model.policy_manifest import POD_LABEL
from conformance.model.policy_manifest import network_policy as manifest_of_policy
from conformance.model.surroundings import ALT_SHIFT, CLOSED_PORT, FLEET_PORT, Surroundings

JSON = dict[str, Any]
AGENT_MAP = "agent"
PULLING = "pull"
IDLE = "import signal; signal.pause()"
"""What the main container of a pod does whose sidecar does the work."""
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 65534,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def namespace(run: Run, name: str, *, privileged: bool) -> JSON:
    """A namespace with its Pod Security level, and why where that is not the restricted one."""
    level = "privileged" if privileged else "restricted"
    security = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn", "audit")}
    metadata: JSON = {"name": name, "labels": run.labels | security}
    if privileged:
        metadata["annotations"] = {WHY: "some pods need host network or raw sockets: each says why"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def pull_secret(run: Run, where: str, original: JSON) -> JSON:
    """A copy of the Secret with the credentials of a registry."""
    metadata = {"name": PULLING, "namespace": where, "labels": run.labels}
    kept = {"type": original["type"], "data": original["data"]}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata} | kept


def agent_map(run: Run, where: str, source: str) -> JSON:
    """The ConfigMap that carries the agent."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": AGENT_MAP, "namespace": where, "labels": run.labels},
        "data": {AGENT_FILE: source},
    }


def pod(run: Run, where: str, name: str, node: str, *, port: int, role: str, host: bool = False) -> JSON:
    """A pod on ``node`` that serves on ``port`` under its own name and lets agents be started in it."""
    ports = [{"name": p.lower(), "containerPort": port, "protocol": p} for p in ("TCP", "UDP")]
    # Ready once it serves. Asked every second all along, dozens of pods would take more than the dials.
    probe = {"tcpSocket": {"port": port}, "periodSeconds": 1, "timeoutSeconds": 2, "failureThreshold": 180}
    container = {
        "name": "agent",
        "image": run.image,
        "imagePullPolicy": "IfNotPresent",  # also of an image that was loaded onto the nodes and is in no registry
        "command": ["python3", "-u", AGENT_PATH, "serve", "--port", str(port), "--name", name],
        "ports": ports,
        "startupProbe": probe,
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
        "tolerations": [dict(one) for one in run.tolerations],
        "containers": [container],
        "volumes": [{"name": AGENT_MAP, "configMap": {"name": AGENT_MAP}}],
    }
    if run.pull_secret:
        spec["imagePullSecrets"] = [{"name": PULLING}]
    metadata: JSON = {"name": name, "namespace": where, "labels": run.labels | {ROLE: role, POD_LABEL: name}}
    if host:
        metadata["annotations"] = {WHY: "the node's own network is where it dials from, or answers"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def backend(
    run: Run,
    one: Backend,
    node: str,
    specs: Iterable[ServiceSpec],
    ports: Iterable[HostPort] = (),
    *,
    raw: bool = False,
) -> JSON:
    """The pod of a backend, with the label of every set of endpoints that it is in.

    Of a fleet it is the last one. ``ports`` are those of its node that lead to it if it is PORTED. With ``raw`` it may
    open raw sockets and answers SCTP, as those do anyway that are bred for it.
    """
    port = run.backend_port + (ALT_SHIFT if one.breed == Breed.ALT.value else 0)
    made = pod(run, run.namespace, one.pod, node, port=port, role="backend", host=one.host_network)
    made["metadata"]["labels"] |= ends_labels(one, specs)
    (container,) = made["spec"]["containers"]
    if not one.ready and not one.failed:
        container["readinessProbe"] = {"tcpSocket": {"port": CLOSED_PORT}}  # such a probe never succeeds
    if one.failed:
        made["spec"]["restartPolicy"] = "Never"
        container["command"] = ["python3", "-c", "raise SystemExit(1)"]
        del container["startupProbe"]
    if one.breed == Breed.FLEET.value:
        container["command"] += ["--fleet", f"{FLEET_PORT + 1}:{one.number}"]
    if one.raw or raw:
        container["command"].append("--sctp")
        _allow_raw(made)
    if one.breed == Breed.PORTED.value:
        container["ports"] = [_host_port(each, port) for each in ports]
        made["metadata"]["annotations"][WHY] += "; hostPorts are asked for"
    if one.breed == Breed.SIDECAR.value:
        made["spec"]["initContainers"] = [container | {"restartPolicy": "Always"}]
        kept = {key: container[key] for key in ("image", "imagePullPolicy", "resources", "securityContext")}
        made["spec"]["containers"] = [{"name": "idle", "command": ["python3", "-c", IDLE]} | kept]
    return made


def _host_port(one: HostPort, target: int) -> JSON:
    plain: JSON = {"containerPort": target, "hostPort": one.number, "protocol": one.protocol.value}
    return plain | ({"hostIP": one.ip} if one.ip else {})


def client(run: Run, role: str, node: str, *, ping: bool = False, raw: bool = False) -> JSON:
    """A client pod; with ``ping`` one that may send echo requests, with ``raw`` one that may open raw sockets."""
    made = pod(run, run.namespace, f"client-{role}", node, port=run.backend_port, role="client")
    if ping:  # most runtimes set it for every pod; a safe sysctl, which a rootless node may refuse all the same
        made["spec"]["securityContext"] = {"sysctls": [{"name": "net.ipv4.ping_group_range", "value": "0 2147483647"}]}
    if raw:
        _allow_raw(made)
    return made


def host_agent(run: Run, index: int, node: str, *, raw: bool = False, privileged: bool = False) -> JSON:
    """A host-network agent; with ``raw`` one that may open raw and packet sockets, with ``privileged`` anything."""
    made = pod(run, run.host_namespace, f"agent-{index}", node, port=run.control_port, role="agent", host=True)
    if raw:
        _allow_raw(made)
    if privileged:
        _allow_all(made)
    return made


def _allow_all(made: JSON) -> None:
    """To enter the node takes its processes, of which the first one's root is the node's own."""
    made["metadata"]["annotations"] = {WHY: "the node's own nft is asked for its version, and failing dials are traced"}
    made["spec"]["hostPID"] = True
    (container,) = made["spec"]["containers"]
    container["securityContext"] = {"privileged": True, "runAsNonRoot": False, "runAsUser": 0}


def _allow_raw(made: JSON) -> None:
    """SCTP without the kernel's module, and a look at the wires, take CAP_NET_RAW, which only root can be given."""
    reason = "SCTP is spoken over raw sockets, the wires are watched by AF_PACKET"
    made["metadata"].setdefault("annotations", {})
    known = made["metadata"]["annotations"].get(WHY)
    made["metadata"]["annotations"][WHY] = f"{known}; {reason}" if known else reason
    (container,) = made["spec"]["containers"]
    changed = {"capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}, "runAsNonRoot": False, "runAsUser": 0}
    container["securityContext"] = RESTRICTED | changed


def ends_label(endpoints: Iterable[Backend]) -> str:
    """The label key that the pods of one set of endpoints have, and that its Services select."""
    return f"{ENDS}/{'_'.join(sorted(b.name for b in endpoints)) or 'none'}"


def ends_labels(one: Backend, specs: Iterable[ServiceSpec]) -> dict[str, str]:
    """The label of every set of endpoints that ``one`` is in: one pod serves every Service that wants it."""
    return {ends_label(spec.endpoints): "yes" for spec in specs if one in spec.endpoints}


def service(run: Run, spec: ServiceSpec, here: Surroundings) -> JSON:
    """The Service of ``spec`` in the run's namespace; it selects its endpoints unless they are listed by hand."""
    made = _owned(run, manifest.service(spec, here))
    if spec.slices is None and not spec.mirrored and spec.type is not ServiceType.EXTERNAL_NAME:
        made["spec"]["selector"] = {ends_label(spec.endpoints): "yes"}
    if run.balancing.by_hand(spec):
        made["spec"]["loadBalancerClass"] = manifest.BY_HAND
    return made


def slices(run: Run, spec: ServiceSpec, here: Surroundings) -> list[JSON]:
    """The hand-made EndpointSlices of ``spec``, in the run's namespace."""
    return [_owned(run, one) for one in manifest.slices(spec, here)]


def endpoints(run: Run, spec: ServiceSpec, here: Surroundings) -> JSON:
    """The Endpoints object of a mirrored Service, in the run's namespace."""
    return _owned(run, manifest.endpoints(spec, here))


def network_policy(run: Run, spec: PolicySpec, here: Surroundings) -> JSON:
    """The NetworkPolicy of ``spec``, in the namespace that it says."""
    made = manifest_of_policy(spec, here)
    made["metadata"]["namespace"] = run.spaces[spec.space.value]
    made["metadata"]["labels"] |= run.labels
    return made


def _owned(run: Run, made: JSON) -> JSON:
    made["metadata"]["namespace"] = run.namespace
    made["metadata"]["labels"] |= run.labels
    return made
