"""The launcher: starts a lab from the outside, waits until it is ready, and holds its lifeline."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import conformance
from conformance.errors import EnvironmentFault, KitError, LabError
from conformance.lab.cni.choice import Cni
from conformance.lab.launch import preflight
from conformance.lab.launch.directory import Directory
from conformance.lab.launch.spec import Order
from conformance.lab.launch.watchdog import DETACH, STOP_SECONDS
from conformance.lab.real.choice import Real
from conformance.model.cluster import ProxyMode


def _ignore(_: str) -> None:
    return


class Lab:
    """A lab that is ready, as the process that started it sees it; it lasts as long as this object is not stopped."""

    def __init__(
        self, directory: Directory, process: subprocess.Popen[bytes], lifeline: int, reports: BinaryIO
    ) -> None:
        self._directory = directory
        self._process = process
        self._lifeline = lifeline
        self._reports = reports
        self.seconds = 0.0
        self.summary = ""

    @property
    def directory(self) -> Path:
        """Its folder."""
        return self._directory.path

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig for use from outside, with the context ``lab``."""
        return self._directory.kubeconfig

    def detach(self) -> None:
        """Let it outlive this process."""
        os.write(self._lifeline, DETACH)
        self._let_go()
        # It is no longer ours to wait for; without this Popen would complain when it is forgotten.
        self._process.returncode = 0

    def wait(self) -> None:
        """Return when somebody has ended it; ``LabError`` when it ended of itself."""
        self._until("ended")
        self._process.wait()

    def until_ready(self, progress: Callable[[str], None]) -> None:
        """Return when it is ready. ``KitError`` when it will not be."""
        message = self._until("ready", progress)
        if message is None:
            log = self._directory.logs / "supervisor.log"
            last = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
            raise LabError(f"The lab ended while it started: {(last or ['it left no message'])[0]}.", "Try again.")
        self.seconds, self.summary = message["seconds"], message["summary"]

    def _until(self, event: str, progress: Callable[[str], None] = _ignore) -> dict[str, Any] | None:
        """The report of ``event``, None when no more reports come. ``KitError`` when one says what failed."""
        for line in self._reports:
            message: dict[str, Any] = json.loads(line)
            if message["event"] == event:
                return message
            if message["event"] == "failed":
                kind: type[KitError] = EnvironmentFault if message["fault"] == "environment" else LabError
                raise kind(message["cause"], message["hint"])
            progress(message["text"])
        return None

    def stop(self) -> None:
        """End it and everything in it; its files are gone on return. ``LabError`` when it does not end."""
        self._let_go()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise LabError(
                f"The lab's watchdog (process {self._process.pid}) does not end.", f"Kill it, and see {self.directory}."
            ) from error
        self._directory.remove_if_abandoned()

    def _let_go(self) -> None:
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
            self._reports.close()


def launch(
    directory: Directory,
    *,
    nodes: int = 3,
    port: int = 0,
    progress: Callable[[str], None] = _ignore,
    user_namespace: bool | None = None,
    bare: bool = False,
    proxy_mode: ProxyMode = ProxyMode.NFTABLES,
    real: Real | None = None,
    cni: Cni | None = None,
) -> Lab:
    """Start a lab and return when it is ready; whatever goes wrong, nothing is left. ``KitError``.

    ``user_namespace`` None: unless root. ``progress`` is told what has been reached. ``bare``: without Kubernetes.
    ``proxy_mode`` is kube-proxy's. ``real``: with the Kubernetes that is named there instead of the embedded one.
    ``cni``: with this pod network instead of the kubelets' own.
    """
    began = time.monotonic()
    rootless = os.geteuid() != 0 if user_namespace is None else user_namespace
    preflight.check(nodes, proxy_mode, reference=real is None, rootless=rootless)
    with preflight.open_api_socket(port) as api:
        lock = directory.claim()
        lifeline_read, lifeline = os.pipe()
        report, report_write = os.pipe()
        order = Order(
            directory=str(directory.path),
            nodes=nodes,
            port=api.getsockname()[1],
            began=began,
            user_namespace=rootless,
            bare=bare,
            proxy_mode=proxy_mode,
            real=real,
            cni=cni,
            api=api.fileno(),
            lock=lock,
            lifeline=lifeline_read,
            report=report_write,
        )
        try:
            directory.logs.mkdir()
            process = _start(directory, order)
        except BaseException:
            directory.remove()
            raise
        finally:
            for fd in (lock, lifeline_read, report_write):
                os.close(fd)
    lab = Lab(directory, process, lifeline, os.fdopen(report, "rb"))
    try:
        lab.until_ready(progress)
    except BaseException:
        lab.stop()
        raise
    return lab


@contextlib.contextmanager
def running_lab(
    directory: Path | None = None,
    *,
    nodes: int = 3,
    port: int = 0,
    progress: Callable[[str], None] = _ignore,
    bare: bool = False,
    proxy_mode: ProxyMode = ProxyMode.NFTABLES,
    real: Real | None = None,
    cni: Cni | None = None,
) -> Iterator[Lab]:
    """A lab for the time of the block; it also ends when this process is killed. None: in a folder of its own."""
    # The folder itself is the lab's, so that it goes even when this process is killed.
    folder = Path(tempfile.mkdtemp(prefix="nftconform-")) if directory is None else directory
    try:
        lab = launch(
            Directory.chosen(folder),
            nodes=nodes,
            port=port,
            progress=progress,
            bare=bare,
            proxy_mode=proxy_mode,
            real=real,
            cni=cni,
        )
    except BaseException:
        if directory is None:
            with contextlib.suppress(FileNotFoundError):
                folder.rmdir()
        raise
    try:
        yield lab
    finally:
        lab.stop()


def environment() -> dict[str, str]:
    """The environment in which a Python of ours finds this package, and nothing of the folder it is started in."""
    found = dict(os.environ)
    found["PATH"] = preflight.search_path()
    found["PYTHONSAFEPATH"] = "1"
    home = Path(conformance.__file__).resolve().parents[1]
    if home.name not in ("site-packages", "dist-packages"):
        others = [str(Path(entry).resolve()) for entry in found.get("PYTHONPATH", "").split(os.pathsep) if entry]
        found["PYTHONPATH"] = os.pathsep.join([str(home), *others])
    return found


def _start(directory: Directory, order: Order) -> subprocess.Popen[bytes]:
    with (directory.logs / "supervisor.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "conformance.lab.launch.watchdog", order.encode()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=order.descriptors,
            # The lab trusts its own authority only; aiohttp would parse the machine's many roots when it is imported.
            env=environment() | {"SSL_CERT_FILE": os.devnull},
            # A Ctrl-C in the terminal is for the launcher, which ends the lab in order.
            start_new_session=True,
        )
