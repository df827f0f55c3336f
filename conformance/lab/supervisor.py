"""``python -m conformance.lab.supervisor ORDER``: the first process of the lab, which makes everything in it.

Run by the watchdog in namespaces of its own (`conformance.lab.launch.cradle`). As PID 1 of its PID namespace it takes
the whole lab with it, however it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.errors import KitError, LabError
from conformance.lab import components, syscalls
from conformance.lab.addresses import AddressPlan, NodePlan
from conformance.lab.cni.place import Place
from conformance.lab.faults.board import Board
from conformance.lab.launch.directory import Directory
from conformance.lab.launch.spec import Order, report_failure, report_progress, report_ready
from conformance.lab.processes import API, FORK_SERVER, Component, Processes
from conformance.lab.real import components as real_components
from conformance.model.cluster import ProxyMode

if TYPE_CHECKING:
    from conformance.lab.pki import Identities
    from conformance.lab.real.choice import Real

_log = logging.getLogger("supervisor")
_START_SECONDS = 180.0
_NEWS_SECONDS = 0.5
_AGAIN = "Look at the message, then try again."


class Supervisor:
    """One lab, from its first process to its last."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._plan = AddressPlan(order.nodes)
        self._directory = Directory(order.path)
        self._processes = Processes(self._directory.logs, self._ended)
        self._missing: tuple[str, ...] = ("the API server",)
        self._ready = False
        self._end: asyncio.Future[LabError | None] = asyncio.get_running_loop().create_future()
        self.orphaned = False

    async def run(self) -> None:
        """Until something ends the lab; then `orphaned` says whether the watchdog is gone and its work is ours."""
        loop = asyncio.get_running_loop()
        self._processes.adopt()
        loop.add_reader(self._order.lifeline, self._watchdog_gone)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._finish)
        start = asyncio.ensure_future(self._start())
        start.add_done_callback(self._started)
        late = loop.call_later(_START_SECONDS, self._too_late)
        fault = await self._end
        late.cancel()
        start.cancel()
        if fault is not None:
            _log.error("%s", fault)
            report_failure(self._order.report, "lab", fault.cause, fault.hint)

    async def _start(self) -> None:
        # Two cores: what one process imports here, another can use meanwhile.
        self._processes.load(components.FABRIC)
        identities = None if self._order.bare else self._identities()
        wires = asyncio.ensure_future(self._processes.run(components.fabric(self._plan)))
        if identities is None:
            await self._wired(wires)
            return
        if self._order.proxy_mode is ProxyMode.IPTABLES:
            await self._check_iptables()
        self._processes.load(*(components.CLUSTER if self._order.real is None else real_components.ENTRIES))
        from conformance.lab import addons, readiness  # noqa: PLC0415
        from conformance.lab.real.proxy_program import proxy_program  # noqa: PLC0415

        await self._wired(wires)
        await self._pod_network()
        Board(self._directory.faults).install()
        administrator = components.administrator(self._plan, identities, self._directory.run)
        real = self._order.real
        if real is None:
            self._embedded(identities)
            proxy = addons.reference_proxy(self._plan, self._order.proxy_mode)
        else:
            await self._real(real, identities, administrator)
            proxy = proxy_program(self._plan, real, self._order.proxy_mode)
        wanted = addons.objects(self._plan, self._directory.faults, proxy)
        dns = self._order.cni is None or self._order.cni.dns
        await readiness.bring_up(self._plan, administrator, wanted, self._still_missing, dns=dns)

    async def _wired(self, wires: asyncio.Future[int]) -> None:
        if await wires != 0:
            raise LabError(f"The lab's network cannot be made:\n{self._processes.tail('fabric')}", _AGAIN)

    async def _check_iptables(self) -> None:
        await self._passed(components.iptables_check())

    async def _pod_network(self) -> None:
        if self._order.cni is None:
            return
        for node in self._plan.nodes:
            state = components.state_of(self._directory.run, node.name)
            Place.of(self._order.cni, self._plan, node, state / "cni").write(self._place(node))
        checks = (self._passed(components.pod_network(node, self._place(node))) for node in self._plan.nodes)
        await asyncio.gather(*checks)
        one = self._plan.nodes[0]  # the others warn of the same
        log = self._processes.log(components.pod_network(one, self._place(one)).name)
        for warning in log.read_text(errors="replace").splitlines():
            report_progress(self._order.report, warning)

    def _place(self, node: NodePlan) -> Path:
        return self._directory.run / "cni" / f"{node.name}.json"

    async def _passed(self, check: Component) -> None:
        """``LabError`` with the last two lines that ``check`` has printed, unless it ends with 0."""
        if await self._processes.run(check):
            said = self._processes.log(check.name).read_text(errors="replace").splitlines()
            cause, hint = said[-2:] if len(said) > 1 else (f"The lab's {check.name} has failed.", _AGAIN)
            raise LabError(cause, hint)

    def _identities(self) -> Identities:
        from conformance.lab.pki import Identities  # noqa: PLC0415

        identities = Identities(self._directory.run / "pki", self._plan)
        local = f"https://127.0.0.1:{self._order.port}"
        identities.kubeconfig(self._directory.kubeconfig, local, "kubernetes-admin", (components.ADMINISTRATORS,))
        return identities

    def _embedded(self, identities: Identities) -> None:
        plan, run, faults = self._plan, self._directory.run, self._directory.faults
        with (
            socket.create_server(plan.api_address, backlog=256) as inside,
            socket.socket(fileno=self._order.api) as outside,
        ):
            sockets = outside.fileno(), inside.fileno()
            self._processes.start(components.api_server(plan, identities, sockets, faults))
        self._processes.start(components.controllers(plan, identities, run))
        self._beside(identities)

    async def _real(self, real: Real, identities: Identities, administrator: Path) -> None:
        plan, run, key = self._plan, self._directory.run, identities.service_account_key()
        for component in real_components.api(real.binaries, plan, identities, run, key):
            self._processes.start(component)
        with socket.socket(fileno=self._order.api) as outside:
            self._processes.start(real_components.relay(plan, outside.fileno()))
        from conformance.lab import readiness  # noqa: PLC0415

        await readiness.answering(administrator)
        for component in real_components.controllers(real.binaries, plan, identities, run, key):
            self._processes.start(component)
        self._beside(identities, real.binaries.version)

    def _beside(self, identities: Identities, version: str = "") -> None:
        """What is the lab's own with any control plane."""
        plan, run = self._plan, self._directory.run
        self._processes.start(components.load_balancer(plan, identities, run, self._directory.faults))
        for node in plan.nodes:
            place = None if self._order.cni is None else self._place(node)
            self._processes.start(components.kubelet(plan, node, identities, run, version, place))
        report_progress(self._order.report, "network and control plane started")

    def _still_missing(self, missing: tuple[str, ...]) -> None:
        self._missing = missing
        _log.info("not ready: %s", ", ".join(missing))

    def _started(self, start: asyncio.Task[None]) -> None:
        if start.cancelled():
            return
        error = start.exception()
        if error is None:
            self._ready = True
            seconds = time.monotonic() - self._order.began
            _log.info("ready in %.1f s", seconds)
            report_ready(self._order.report, seconds, self._summary())
        elif isinstance(error, LabError):
            self._finish(error)
        else:
            _log.error("the start failed", exc_info=error)
            fault = LabError(f"The lab's start failed: {_words(error)}.", _AGAIN)
            # A component whose end broke our connection says more; the news of it may still be on its way.
            asyncio.get_running_loop().call_later(_NEWS_SECONDS, self._finish, fault)

    def _summary(self) -> str:
        count = self._plan.node_count
        nodes = f"{count} node{'s' if count > 1 else ''}"
        mode = "" if self._order.proxy_mode is ProxyMode.NFTABLES else f" in {self._order.proxy_mode.value} mode"
        cluster = "no Kubernetes" if self._order.bare else f"kube-proxy{mode} on each, cluster DNS"
        if self._order.real is not None:
            programs = self._order.real.binaries
            cluster = (
                f"kube-apiserver {programs.version}, kube-proxy {programs.proxy_version}{mode} on each, cluster DNS"
            )
        pods = "" if self._order.cni is None else f"pods on {self._order.cni.name}, "
        return f"{nodes}, {cluster}, {pods}external clients x1 and x2"

    def _ended(self, component: Component, code: int) -> bool:
        """A component ended: whether to start it again. Without the API's memory, or without forks, there is no lab."""
        if self._ready and component.name not in (API, FORK_SERVER):
            return True
        tail = self._processes.tail(component.name)
        cause = f"The lab's {component.name} ended with {code}"
        self._finish(LabError(f"{cause}; the end of its log:\n{tail}\n" if tail else f"{cause}.", _AGAIN))
        return False

    def _too_late(self) -> None:
        if not self._ready:
            waited = ", ".join(self._missing)
            self._finish(LabError(f"The lab is not ready after {_START_SECONDS:.0f} s; missing: {waited}.", _AGAIN))

    def _watchdog_gone(self) -> None:
        self.orphaned = True
        self._finish()

    def _finish(self, fault: LabError | None = None) -> None:
        if not self._end.done():
            self._end.set_result(fault)


def _words(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error.cause if isinstance(error, KitError) else f"{error.__class__.__name__}: {error}"


def _take_files_away(directory: Directory) -> None:
    """The watchdog's work, when it is gone: nobody may write any more, and of the tmpfs only the mount point goes."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    with contextlib.suppress(OSError):
        syscalls.umount(str(directory.run), syscalls.MNT_DETACH)
    directory.remove()


def main() -> None:
    """Run the lab that the argument orders."""
    order = Order.decode(sys.argv[1])
    for fd in order.descriptors:
        os.set_inheritable(fd, False)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")

    async def work() -> bool:
        supervisor = Supervisor(order)
        await supervisor.run()
        return supervisor.orphaned

    if asyncio.run(work()):
        _take_files_away(Directory(order.path))
    # As PID 1 our end is everybody's: no need to stop anyone, and nothing to wait for.
    os._exit(0)


if __name__ == "__main__":
    main()
