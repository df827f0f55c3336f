"""The Kubernetes programs in a folder of the user's: found in the layouts in which they are downloaded, and checked."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from conformance.errors import EnvironmentFault, UsageError
from conformance.lab.real import elf

NEEDED = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy")
_PLACES = (".", "bin", "kubernetes/server/bin")
_ENVTEST = "k8s/*-linux-{}"
_VERSION = re.compile(r"\bv\d+\.\d+\.\d+\S*")
_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs' paths; without a ``scheduler`` (empty) the lab's own places the pods.

    ``version`` is kube-apiserver's and ``proxy_version`` kube-proxy's, as ``v1.36.2``.
    """

    etcd: str
    api_server: str
    controller_manager: str
    proxy: str
    scheduler: str
    version: str
    proxy_version: str


def find(folder: Path) -> Binaries:
    """The programs in ``folder``, each of which says its version; ``UsageError`` or ``EnvironmentFault``.

    They lie in the folder itself, in its ``bin``, in ``kubernetes/server/bin`` as in the release's archive, or in
    ``k8s/VERSION-linux-ARCHITECTURE`` as envtest's assets do.
    """
    here = elf.architecture(platform.machine())
    places = _places(folder, here)
    found = {name: _first(places, name) for name in (*NEEDED, "kube-scheduler")}
    missing = [name for name in NEEDED if found[name] is None]
    if missing:
        raise UsageError(
            f"{folder} lacks {', '.join(missing)}.",
            "'nftconform lab fetch' downloads all that a lab needs; or put the rest there, too.",
        )
    programs = {name: path for name, path in found.items() if path is not None}
    for name, path in programs.items():
        check_program(name, path, here)
    said = {name: _said(name, path) for name, path in programs.items()}
    return Binaries(
        etcd=str(programs["etcd"]),
        api_server=str(programs["kube-apiserver"]),
        controller_manager=str(programs["kube-controller-manager"]),
        proxy=str(programs["kube-proxy"]),
        scheduler=str(programs.get("kube-scheduler", "")),
        version=_version("kube-apiserver", said),
        proxy_version=_version("kube-proxy", said),
    )


def _places(folder: Path, here: str) -> list[Path]:
    try:
        entries = {path.name for path in folder.iterdir()}
    except OSError as error:
        raise UsageError(
            f"The folder {folder} cannot be read: {error.strerror}.", "Name one that has Kubernetes' programs."
        ) from error
    if folder.resolve().is_relative_to("/run"):
        raise UsageError(f"The lab has a /run of its own, and would not see {folder}.", "Put the programs elsewhere.")
    versions = sorted(folder.glob(_ENVTEST.format(here))) if "k8s" in entries else []
    if len(versions) > 1:
        names = ", ".join(path.name for path in versions)
        raise UsageError(f"{folder} has more than one version: {names}.", f"Name one, such as {versions[-1]}.")
    return [*(folder / place for place in _PLACES), *versions]


def _first(places: Iterable[Path], name: str) -> Path | None:
    for place in places:
        # Through links: a pod is shown the folder in which the file really is.
        if (path := place / name).is_file():
            return path.resolve()
    return None


def check_program(name: str, path: Path, here: str) -> None:
    """``UsageError`` unless the program ``name`` at ``path`` is one for the architecture ``here``."""
    again = f"Download {name} for linux/{here} again."
    if not os.access(path, os.X_OK):
        raise UsageError(f"{path} is not executable.", f"Run 'chmod +x {path}'.")
    try:
        with path.open("rb") as file:
            header = file.read(elf.HEADER_BYTES)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", "Make it readable.") from error
    if why := elf.obstacle(header, here):
        raise UsageError(f"{path} {why}.", again)


def _said(name: str, path: Path) -> str:
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = error.strerror if isinstance(error, OSError) else f"no answer within {_SECONDS:.0f} s"
        raise EnvironmentFault(f"{path} cannot be run: {reason}.", f"Download {name} again.") from error
    if done.returncode != 0:
        last = (done.stderr.strip() or "it says nothing").splitlines()[-1]
        raise EnvironmentFault(f"'{path} --version' ends with {done.returncode}: {last}.", f"Download {name} again.")
    return done.stdout


def _version(name: str, said: dict[str, str]) -> str:
    if found := _VERSION.search(said[name]):
        return found[0]
    raise EnvironmentFault(f"{name} says no version: {said[name].strip()!r}.", f"Download {name} again.")
