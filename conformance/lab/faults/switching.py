"""Switching faults on and off in a running lab, and waiting until that has an effect."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from conformance.errors import LabError
from conformance.lab import addons
from conformance.lab.client import ApiClient, Informer
from conformance.lab.conditions import ready
from conformance.lab.faults.board import AFRESH, Board, Switch
from conformance.lab.faults.node.__main__ import READY
from conformance.lab.faults.node.every import INJECTIONS
from conformance.spec.faults import DAMAGE, Fault, Site

Json = dict[str, Any]
Items = Mapping[str, Json]

_PODS = "/api/v1/namespaces/kube-system/pods"
_SETS = "/apis/apps/v1/namespaces/kube-system/daemonsets"
PATIENCE = 60.0
_LOOK_SECONDS = 0.05


class Faults:
    """The switches of one lab; ``client`` may do everything there. A change has ``patience`` seconds to take effect."""

    def __init__(self, client: ApiClient, board: Board, patience: float = PATIENCE) -> None:
        self._client = client
        self._board = board
        self._patience = patience

    def on(self) -> tuple[Switch, ...]:
        """What is on."""
        return tuple(switch for switch in self._board.read() if switch.fault != AFRESH)

    async def switch_on(self, *switches: Switch) -> None:
        """Have these faults; one that is on already is moved to where it shall be now. ``LabError``."""
        names = {switch.fault for switch in switches}
        await self.switch_off(*(s for s in self.on() if s.fault in names))
        self._board.write((*self.on(), *switches))
        for switch in switches:
            if _needs_pods(switch):
                await self._client.create(_SETS, _injector(switch, self._board))
        await self._restart_proxies(switches)
        # Not every DaemonSet: a fault may be that kube-proxy is not well.
        mine = {_name(switch) for switch in switches if _needs_pods(switch)}
        await self._until(
            "the faults are in",
            _SETS,
            lambda sets: all(_complete(each) for each in sets.values() if each["metadata"]["name"] in mine),
        )

    async def switch_off(self, *switches: Switch) -> None:
        """Be rid of these faults and of what they have done. ``LabError``."""
        gone = {switch.fault for switch in switches}
        left = tuple(switch for switch in self.on() if switch.fault not in gone)
        # What a fault has put into the table, no proxy knows of.
        afresh = [switch for switch in switches if switch.rewrites]
        self._board.write((*left, *(Switch(AFRESH, switch.node) for switch in afresh)))
        for switch in switches:
            self._board.forget(switch.fault)
            if _needs_pods(switch):
                await self._client.delete(f"{_SETS}/{_name(switch)}", body={"propagationPolicy": "Foreground"})
        mine = {_name(switch) for switch in switches}
        await self._restart_proxies(switches)
        if afresh:
            await self._within("every table is written afresh", self._written(afresh))
            self._board.forget(AFRESH)
            self._board.write(left)
        await self._until(
            "the faults are out",
            _PODS,
            lambda pods: not any(p["metadata"].get("labels", {}).get("fault") in mine for p in pods.values()),
        )

    async def _restart_proxies(self, switches: tuple[Switch, ...]) -> None:
        """A proxy that starts writes every rule anew, and reads every object: nothing else is sure to."""
        concerned = [switch for switch in switches if _read_at_start(switch)]
        if not concerned:
            return
        async with self._watching(_PODS) as pods:
            old = {
                name: pod["metadata"]["uid"]
                for name, pod in pods.items.items()
                if _is_proxy(pod) and any(s.node in ("", pod["spec"].get("nodeName")) for s in concerned)
            }
            # Before the first is deleted: while the others are, it may be gone, or its successor there besides.
            count = sum(map(_is_proxy, pods.items.values()))
            for name in old:
                await self._client.delete(f"{_PODS}/{name.partition('/')[2]}", body={"gracePeriodSeconds": 1})
            uids = set(old.values())

            def renewed(items: Items) -> bool:
                proxies = [pod for pod in items.values() if _is_proxy(pod)]
                fresh = [pod for pod in proxies if pod["metadata"]["uid"] not in uids and ready(pod)]
                return len(fresh) == len(proxies) == count

            await self._within("kube-proxy is ready again", pods.until(renewed))

    async def _written(self, switches: Sequence[Switch]) -> None:
        """Until each proxy has written each of its tables; when it is ready it may have written none."""
        async with self._watching(_PODS) as pods:
            tables = {
                (pod["spec"]["nodeName"], "ip6" if ":" in each["ip"] else "ip")
                for pod in pods.items.values()
                if _is_proxy(pod) and any(s.node in ("", pod["spec"]["nodeName"]) for s in switches)
                for each in pod["status"]["podIPs"]
            }
        while not all(self._board.recall(node, family, AFRESH) for node, family in tables):
            await asyncio.sleep(_LOOK_SECONDS)  # a file, written in another pod: nothing tells

    async def _until(self, what: str, path: str, condition: Callable[[Items], bool]) -> None:
        async with self._watching(path) as informer:
            await self._within(what, informer.until(condition))

    async def _within(self, what: str, wait: Awaitable[object]) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await wait
        except TimeoutError as error:
            raise LabError(
                f"After {self._patience:.0f} s it is still not so that {what}.",
                "See 'nftconform lab logs' and 'nftconform lab status'.",
            ) from error

    @contextlib.asynccontextmanager
    async def _watching(self, path: str) -> AsyncIterator[Informer]:
        informer = Informer(self._client, path)
        task = asyncio.ensure_future(informer.run())
        try:
            await self._within("the lab's API answers", informer.synced.wait())
            yield informer
        finally:
            task.cancel()


def _read_at_start(switch: Switch) -> bool:
    """Whether a proxy suffers it in what it reads or writes, all of which it does when it starts."""
    return switch.rewrites or DAMAGE[Fault[switch.fault]].site is Site.VIEW


def _needs_pods(switch: Switch) -> bool:
    """Some faults of the rules need something of the node as well."""
    return any(switch.fault == fault.name for fault in INJECTIONS)


def _name(switch: Switch) -> str:
    return f"fault-{switch.fault.lower().replace('_', '-')}"


def _is_proxy(pod: Json) -> bool:
    return bool(pod["metadata"].get("labels", {}).get("k8s-app") == "kube-proxy")


def _complete(daemon_set: Json) -> bool:
    status, generation = daemon_set.get("status") or {}, daemon_set["metadata"].get("generation", 0)
    wanted = status.get("desiredNumberScheduled", 0)
    return bool(status.get("observedGeneration", -1) >= generation and 0 < wanted == status.get("numberReady", 0))


def _injector(switch: Switch, board: Board) -> Json:
    """The DaemonSet whose pods put the fault in: privileged on the node's network, for they change both."""
    labels = {"fault": _name(switch)}
    container = {
        "name": "fault",
        "image": addons.IMAGE,
        "command": addons.python("faults.node", switch.fault, "--service", switch.service),
        "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}, addons.NO_ROOTS],
        "readinessProbe": {"exec": {"command": ["test", "-e", str(READY)]}, "periodSeconds": 1},
        "securityContext": {"privileged": True},
        "volumeMounts": [addons.FAULTS_MOUNT],
    }
    selector = {"kubernetes.io/os": "linux"} | ({"kubernetes.io/hostname": switch.node} if switch.node else {})
    pod = {
        "metadata": {"labels": labels},
        "spec": {
            "serviceAccountName": addons.FAULTS_ACCOUNT,
            "hostNetwork": True,
            "nodeSelector": selector,
            "terminationGracePeriodSeconds": 5,
            "tolerations": addons.ANYWHERE,
            "containers": [container],
            "volumes": [addons.faults_volume(board.folder)],
        },
    }
    return addons.workload("daemonsets", "DaemonSet", _name(switch), labels, {"template": pod})[1]
