"""One container of a pod: started, probed, restarted, stopped; its record is what the pod's status says about it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conformance.lab import timestamps
from conformance.lab.kubelet import environment, names, probing, security
from conformance.lab.kubelet.environment import ConfigError, Surroundings
from conformance.lab.kubelet.life import Life
from conformance.lab.kubelet.logs import LogFile
from conformance.lab.kubelet.node import Node
from conformance.lab.kubelet.probes import Health, Kind, Probe
from conformance.lab.kubelet.record import ContainerRecord, Running, Terminated, Waiting, terminated
from conformance.lab.kubelet.restarts import Backoff, restarts
from conformance.lab.kubelet.spawn import Request, SpawnError
from conformance.lab.kubelet.volumes import PodVolumes

Json = dict[str, Any]

_CONFIG_RETRY_SECONDS = 1.0
_LEAST_GRACE = 2.0  # what remains for SIGTERM after a preStop hook that used up the grace period
_HOOK_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Home:
    """What a container has from its pod."""

    pod: Callable[[], Json]
    around: Callable[[], Surroundings]
    volumes: PodVolumes
    folder: Path
    net: Callable[[], int | None]
    changed: Callable[[], None]


class Container:
    """A container with its own restart policy (``Always``, ``OnFailure``, ``Never``)."""

    def __init__(self, node: Node, home: Home, spec: Json, policy: str, *, waiting: str, restarts: int = 0) -> None:
        self.spec = spec
        self.record = ContainerRecord(spec["name"], Waiting(waiting), restart_count=restarts)
        self.life: Life | None = None
        self.logs: list[LogFile] = []
        self.started = asyncio.Event()
        self.ended = asyncio.Event()
        self._node = node
        self._home = home
        self._policy = policy
        self._stopping = asyncio.Event()
        self._deadline = 0.0
        self._shortened = asyncio.Event()
        self._message = ""

    async def run(self) -> None:
        """Live and live again, until it may not, or ``stop``."""
        loop, backoff = asyncio.get_running_loop(), Backoff()
        try:
            while not self._stopping.is_set():
                began = loop.time()
                end = await self._once()
                if end is None:
                    await self._pause(_CONFIG_RETRY_SECONDS)
                    continue
                if self._stopping.is_set() or not restarts(self._policy, end.exit_code):
                    self._set(replace(self.record, state=end, ready=False, started=False))
                    return
                backoff = backoff.after(loop.time() - began)
                message = f"back-off {backoff.seconds:g}s restarting failed container={self.spec['name']}"
                self._set(
                    replace(
                        self.record, state=Waiting("CrashLoopBackOff", message), last=end, ready=False, started=False
                    )
                )
                await self._pause(backoff.seconds)
                if self._stopping.is_set():
                    self._set(replace(self.record, state=end))
                    return
                self._set(replace(self.record, restart_count=self.record.restart_count + 1))
        finally:
            self.ended.set()

    async def stop(self, grace: float) -> None:
        """preStop, SIGTERM, SIGKILL after ``grace`` seconds; returns when it has ended. May shorten an earlier call."""
        deadline = asyncio.get_running_loop().time() + grace
        if self._stopping.is_set():
            if deadline < self._deadline:
                self._deadline = deadline
                self._shortened.set()
        else:
            self._deadline = deadline
            self._stopping.set()
            if self.life is not None:
                await self._kill(self.life)
        await self.ended.wait()

    def log(self, *, previous: bool = False) -> LogFile | None:
        """The log of the present (or last) life, or of the one before it."""
        index = 2 if previous else 1
        return self.logs[-index] if len(self.logs) >= index else None

    def _set(self, record: ContainerRecord) -> None:
        if record != self.record:
            self.record = record
            self._home.changed()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _once(self) -> Terminated | None:
        """One life and its end; None when its configuration is not complete."""
        identity, began = os.urandom(32).hex(), timestamps.now()
        self._message = ""
        try:
            request = self._request()
            number = self.record.restart_count
            log = LogFile(self._home.folder / self.spec["name"] / f"{number}.log")
            self.logs.append(log)
            life = await Life.begin(self._node.spawner, request, self._home.net(), log)
        except ConfigError as error:
            self._set(replace(self.record, state=Waiting("CreateContainerConfigError", str(error))))
            return None
        except (SpawnError, OSError) as error:
            self._node.warn(self._home.pod(), "Failed", f"Error: {error}")
            self._set(replace(self.record, container_id=identity))
            return Terminated(128, 0, "StartError", began, timestamps.now(), identity, str(error))
        self.life = life
        self._set(replace(self.record, container_id=identity))
        watchers = asyncio.create_task(self._watch(life, began))
        # For who enters the container past the API: `nftconform lab exec`.
        note = self._home.folder / self.spec["name"] / "pid"
        note.write_text(str(life.process.pid))
        try:
            if self._stopping.is_set():
                await self._kill(life)
            code = await life.finish()
        finally:
            note.unlink(missing_ok=True)
            watchers.cancel()
            await asyncio.gather(watchers, return_exceptions=True)
            self.life = None
        return replace(terminated(code, began, timestamps.now(), identity), message=self._message)

    def _request(self) -> Request:
        pod, around, settings = self._home.pod(), self._home.around(), self._node.settings
        own_network = not pod["spec"].get("hostNetwork")
        host = names.hostname(pod, settings.name)
        image = dict(self._node.system.environment) | {"HOSTNAME": host}
        variables = environment.container_environment(pod, self.spec, around, image)
        resolv = Path("/etc/resolv.conf")
        files = {
            "/etc/hostname": host + "\n",
            "/etc/hosts": names.hosts(pod, around.pod_ips, settings.cluster_domain),
            "/etc/resolv.conf": names.resolv_conf(
                pod, settings.cluster_dns, settings.cluster_domain, resolv.read_text() if resolv.exists() else ""
            ),
        }
        command = [*(self.spec.get("command") or ()), *(self.spec.get("args") or ())]
        if not command:
            raise ConfigError("the lab has no images: a container needs a command")
        privileged = bool((self.spec.get("securityContext") or {}).get("privileged"))
        return Request(
            argv=[environment.expand(word, variables) for word in command],
            env=variables,
            cwd=self.spec.get("workingDir") or "/",
            privileges=security.privileges(pod, self.spec, can_change_user=self._node.can_change_user),
            root=self._node.system.root(
                self._home.volumes.mounts(self.spec, variables),
                files,
                privileged=privileged,
                own_network=own_network,
            ),
            hostname=host,
        )

    async def _watch(self, life: Life, began: str) -> None:
        """postStart and the probes, for as long as the life lasts."""
        hook = (self.spec.get("lifecycle") or {}).get("postStart")
        if hook and not await self._hook(hook, life, _HOOK_SECONDS):
            self._node.warn(self._home.pod(), "FailedPostStartHook", f"container {self.spec['name']}")
            self._message = "PostStartHook failed"
            await self._kill(life)
            return
        probes = {kind: Probe.of(self.spec, kind) for kind in Kind}
        startup, readiness, liveness = probes[Kind.STARTUP], probes[Kind.READINESS], probes[Kind.LIVENESS]
        begun = startup is None
        self._set(replace(self.record, state=Running(began), started=begun, ready=begun and readiness is None))
        if begun:
            self.started.set()
        if startup is not None:
            if not await self._probe(startup, life):
                return
            self._set(replace(self.record, started=True, ready=readiness is None))
            self.started.set()
        await asyncio.gather(*(self._probe(probe, life) for probe in (readiness, liveness) if probe is not None))

    async def _probe(self, probe: Probe, life: Life) -> bool:
        """Ask again and again. True when a startup probe has succeeded, False when the container has to die."""
        loop, health = asyncio.get_running_loop(), Health.initial(probe.kind)
        tries, succeeded = 0, False
        await asyncio.sleep(probe.initial_delay)
        while True:
            tries, began = tries + 1, loop.time()
            addresses = self._home.around().pod_ips
            success, seen = await probing.ask(probe, self.spec, addresses[0] if addresses else "", life.run)
            if self._stopping.is_set() and probe.kind is not Kind.READINESS:
                return False
            if success or probe.counts(tries, succeeded_once=succeeded):
                health = health.after(success, probe)
            succeeded = succeeded or success
            if probe.kind is Kind.READINESS:
                self._set(replace(self.record, ready=health.ok and life.process.running))
            elif probe.kind is Kind.STARTUP and health.ok:
                return True
            elif health.failed(probe):
                await self._unhealthy(probe, life, seen)
                return False
            delay = probe.delay(tries, succeeded_once=succeeded)
            await asyncio.sleep(max(0.0, delay - (loop.time() - began)))

    async def _unhealthy(self, probe: Probe, life: Life, seen: str) -> None:
        name, kind = self.spec["name"], probe.kind.value
        self._node.warn(self._home.pod(), "Unhealthy", f"container {name}: {kind} probe failed: {seen}")
        grace = probe.grace_period
        if grace is None:
            grace = self._home.pod()["spec"].get("terminationGracePeriodSeconds", 30)
        self._deadline = asyncio.get_running_loop().time() + grace
        await self._kill(life)

    async def _kill(self, life: Life) -> None:
        """End the process by ``self._deadline``, politely."""
        loop = asyncio.get_running_loop()
        hook = (self.spec.get("lifecycle") or {}).get("preStop")
        if hook and self._deadline > loop.time():
            await self._until_deadline(asyncio.ensure_future(self._hook(hook, life, _HOOK_SECONDS)))
            self._deadline = max(self._deadline, loop.time() + _LEAST_GRACE)
        if self._deadline > loop.time():
            life.process.signal(signal.SIGTERM)
            await self._until_deadline(asyncio.ensure_future(life.process.wait()))
        if life.process.running:
            life.process.signal(signal.SIGKILL)
            await life.process.wait()

    async def _until_deadline(self, work: asyncio.Future[Any]) -> None:
        """Wait for ``work`` until the deadline, which ``stop`` may bring forward; it is cancelled then."""
        loop = asyncio.get_running_loop()
        try:
            while not work.done() and loop.time() < self._deadline:
                self._shortened.clear()
                shortened = asyncio.create_task(self._shortened.wait())
                try:
                    await asyncio.wait(
                        {work, shortened},
                        timeout=self._deadline - loop.time(),
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                finally:
                    shortened.cancel()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _hook(self, hook: Json, life: Life, seconds: float) -> bool:
        """Run a lifecycle hook; whether it succeeded."""
        if "sleep" in hook:
            await asyncio.wait({life.process.status}, timeout=hook["sleep"]["seconds"])
            return True
        addresses = self._home.around().pod_ips
        probe = Probe(Kind.STARTUP, hook, timeout=seconds)
        success, _ = await probing.ask(probe, self.spec, addresses[0] if addresses else "", life.run)
        return success
