"""``pod.status`` from what the agent knows, as kubelet 1.36 computes it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from conformance.lab.kubelet.record import (
    RUNTIME,
    ContainerRecord,
    PodRecord,
    Running,
    State,
    Terminated,
    Waiting,
)

Json = dict[str, Any]


def pod_status(pod: Json, record: PodRecord, now: str) -> Json:
    """The status to report; ``pod`` is the API's object, whose conditions keep their times where nothing changed."""
    spec, metadata = pod["spec"], pod["metadata"]
    phase = pod_phase(spec, record)
    if phase == "Pending" and (pod.get("status") or {}).get("phase") == "Running":
        phase = "Running"  # a new agent starts it once more; a phase never goes back
    conditions = _conditions(pod, record, phase)
    known = {entry["type"]: entry for entry in (pod.get("status") or {}).get("conditions") or ()}
    status: Json = {
        "phase": phase,
        "conditions": [_timed(entry, known.get(entry["type"]), now) for entry in conditions],
        "hostIP": record.host_ips[0],
        "hostIPs": [{"ip": address} for address in record.host_ips],
        "startTime": record.start_time,
        "containerStatuses": _statuses(spec["containers"], record.containers),
    }
    if metadata.get("generation"):
        status["observedGeneration"] = metadata["generation"]
    if spec.get("initContainers"):
        status["initContainerStatuses"] = _statuses(spec["initContainers"], record.init_containers)
    if record.pod_ips:
        status["podIP"] = record.pod_ips[0]
        status["podIPs"] = [{"ip": address} for address in record.pod_ips]
    return status


def pod_phase(spec: Json, record: PodRecord) -> str:
    """Pending, Running, Succeeded or Failed."""
    policy = spec.get("restartPolicy", "Always")
    # A pod that is stopped while starting: what never ran does not make it fail.
    if record.ended:
        return (
            "Failed" if any(_failed(one.state) for one in record.containers + record.init_containers) else "Succeeded"
        )
    if not record.initialized:
        return "Pending"
    states = [one.state for one in record.containers]
    if any(isinstance(one.state, Waiting) and one.last is None for one in record.containers):
        return "Pending"
    if any(isinstance(state, Running) for state in states) or policy == "Always":
        return "Running"
    if any(isinstance(state, Waiting) for state in states):
        return "Running"
    if not any(_failed(state) for state in states):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _conditions(pod: Json, record: PodRecord, phase: str) -> list[Json]:
    finished = phase in ("Succeeded", "Failed")
    initialized: Json = {"type": "Initialized", "status": "True"}
    if not record.initialized and not finished:
        names = [one.name for one in record.init_containers if not _completed(one)]
        initialized |= {"status": "False", "reason": "ContainersNotInitialized"}
        initialized["message"] = f"containers with incomplete status: [{' '.join(names)}]"
    elif finished:
        initialized["reason"] = "PodCompleted" if phase == "Succeeded" else "PodFailed"
    return [
        {"type": "PodReadyToStartContainers", "status": _word(record.sandbox)},
        initialized,
        _finished(phase, "Ready") if finished else _ready(pod, record),
        _finished(phase, "ContainersReady") if finished else _containers_ready(record),
        {"type": "PodScheduled", "status": "True"},
    ]


def _finished(phase: str, kind: str) -> Json:
    reason = "PodCompleted" if phase == "Succeeded" else "PodFailed"
    return {"type": kind, "status": "False", "reason": reason}


def _ready(pod: Json, record: PodRecord) -> Json:
    containers = _containers_ready(record)
    if containers["status"] != "True":
        return {**containers, "type": "Ready"}
    known = {entry["type"]: entry for entry in (pod.get("status") or {}).get("conditions") or ()}
    unmet = []
    for gate in pod["spec"].get("readinessGates") or ():
        found = known.get(gate["conditionType"])
        if found is None:
            unmet.append(f'corresponding condition of pod readiness gate "{gate["conditionType"]}" does not exist.')
        elif found["status"] != "True":
            unmet.append(
                f'the status of pod readiness gate "{gate["conditionType"]}" is not "True", but {found["status"]}'
            )
    if unmet:
        return {"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady", "message": ", ".join(unmet)}
    return {"type": "Ready", "status": "True"}


def _containers_ready(record: PodRecord) -> Json:
    sidecars = [one for one in record.init_containers if not isinstance(one.state, Terminated)]
    unready = [one.name for one in (*sidecars, *record.containers) if not one.ready]
    if not unready and record.containers:
        return {"type": "ContainersReady", "status": "True"}
    return {
        "type": "ContainersReady",
        "status": "False",
        "reason": "ContainersNotReady",
        "message": f"containers with unready status: [{' '.join(unready)}]",
    }


def _timed(condition: Json, known: Json | None, now: str) -> Json:
    same = known is not None and known.get("status") == condition["status"]
    since = known.get("lastTransitionTime") if known is not None and same else None
    return {**condition, "lastProbeTime": None, "lastTransitionTime": since or now}


def _statuses(specs: Sequence[Json], records: Sequence[ContainerRecord]) -> list[Json]:
    images = {spec["name"]: spec.get("image", "") for spec in specs}
    return [_status(record, images[record.name]) for record in sorted(records, key=lambda one: one.name)]


def _status(record: ContainerRecord, image: str) -> Json:
    status: Json = {
        "name": record.name,
        "state": _state(record.state),
        "lastState": {} if record.last is None else _state(record.last),
        "ready": record.ready,
        "restartCount": record.restart_count,
        "image": image,
        "imageID": f"{RUNTIME}://host" if record.container_id else "",
        "started": record.started,
    }
    if record.container_id:
        status["containerID"] = f"{RUNTIME}://{record.container_id}"
    return status


def _state(state: State) -> Json:
    match state:
        case Waiting():
            waiting = {"reason": state.reason}
            return {"waiting": waiting | ({"message": state.message} if state.message else {})}
        case Running():
            return {"running": {"startedAt": state.started_at}}
        case Terminated():
            ended: Json = {
                "exitCode": state.exit_code,
                "reason": state.reason,
                "startedAt": state.started_at,
                "finishedAt": state.finished_at,
                "containerID": f"{RUNTIME}://{state.container_id}",
            }
            if state.signal:
                ended["signal"] = state.signal
            if state.message:
                ended["message"] = state.message
            return {"terminated": ended}
    assert_never(state)


def _failed(state: State) -> bool:
    return isinstance(state, Terminated) and state.exit_code != 0


def _completed(record: ContainerRecord) -> bool:
    return record.started or (isinstance(record.state, Terminated) and record.state.exit_code == 0)


def _word(value: bool) -> str:
    return "True" if value else "False"


def merged_conditions(pod: Json, sent: Json) -> list[Json]:
    """The conditions that the API has: those of ``pod``, or newer ones of ours that it does not show yet."""
    ours = {entry["type"]: entry for entry in sent.get("conditions") or ()}
    theirs = {entry["type"]: entry for entry in (pod.get("status") or {}).get("conditions") or ()}
    return list((theirs | ours).values())


def conditions_patch(fresh: Sequence[Json], known: Sequence[Json]) -> list[Json]:
    """``fresh`` for a strategic merge patch: with a null for what ``known`` has and a condition no longer says."""
    before = {entry["type"]: entry for entry in known}
    return [{**dict.fromkeys(before.get(entry["type"], {}).keys() - entry.keys()), **entry} for entry in fresh]
