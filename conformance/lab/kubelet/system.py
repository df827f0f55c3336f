"""The machine's own folders that stand in for an image, and the environment that comes with them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import conformance
from conformance.lab.kubelet.rootfs import Step

_FOLDERS = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt", "nix", "gnu", "etc")
_EMPTY = (("/tmp", 0o1777), ("/run", 0o755), ("/root", 0o700), ("/home", 0o755), ("/srv", 0o755), ("/mnt", 0o755))  # noqa: S108
_VAR = (("/var/tmp", 0o1777), ("/var/lib", 0o755), ("/var/log", 0o755), ("/var/cache", 0o755))  # noqa: S108


@dataclass(frozen=True, slots=True)
class Mount:
    """One volume in a container."""

    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class System:
    """What every container sees: the steps that make its root, and its first environment variables."""

    steps: tuple[Step, ...]
    environment: tuple[tuple[str, str], ...]

    @classmethod
    def of_this_machine(cls) -> System:
        """The system folders, and wherever this interpreter and this package are, at the same paths."""
        steps: list[Step] = []
        bound: list[Path] = []
        for name in _FOLDERS:
            path = Path("/", name)
            if path.is_symlink():
                steps.append({"kind": "link", "path": str(path), "text": str(path.readlink())})
            elif path.is_dir():
                steps.append(_image(path))
                bound.append(path)
        for empty, mode in (*_EMPTY, *_VAR):
            steps.append({"kind": "dir", "path": empty, "mode": mode})
        steps.append({"kind": "link", "path": "/var/run", "text": "/run"})
        for path in _kit():
            if not any(path.is_relative_to(other) for other in bound):
                steps.append(_image(path))
                bound.append(path)
        steps.append({"kind": "bind", "path": "/dev", "source": "/dev"})
        steps.append({"kind": "bind", "path": "/proc", "source": "/proc"})
        return cls(tuple(steps), tuple(_environment().items()))

    def root(
        self, mounts: Iterable[Mount], files: dict[str, str], *, privileged: bool, own_network: bool
    ) -> tuple[Step, ...]:
        """The whole plan of a container's root; ``files`` are texts by path."""
        steps = list(self.steps)
        kind = "sysfs" if own_network else "bind"
        steps.append({"kind": kind, "path": "/sys", "source": "/sys"})
        if not privileged:
            steps.append({"kind": "bind", "path": "/proc/sys", "source": "/proc/sys", "read_only": True, "image": True})
        for path, text in files.items():
            steps.append({"kind": "file", "path": path, "text": text, "mode": 0o644})
        for mount in sorted(mounts, key=lambda one: one.target.count("/")):
            steps.append(
                {
                    "kind": "bind",
                    "path": mount.target.rstrip("/") or "/",
                    "source": str(mount.source),
                    "read_only": mount.read_only,
                }
            )
        return tuple(steps)


def _image(path: Path) -> Step:
    return {"kind": "bind", "path": str(path), "source": str(path), "read_only": True, "image": True, "optional": True}


def _kit() -> list[Path]:
    """Where the interpreter and the packages it imports from are, outermost first."""
    package = Path(conformance.__file__).resolve().parent
    found = {package, Path(sys.prefix), Path(sys.base_prefix), Path(sys.base_prefix).resolve()}
    # Not all of sys.path: its first entry may be any folder in which the agent was started.
    found |= {Path(entry) for entry in sys.path if entry.endswith(("-packages", "-packages/")) and Path(entry).is_dir()}
    return sorted((path for path in found if path != Path("/")), key=lambda path: len(path.parts))


def _environment() -> dict[str, str]:
    own = str(Path(sys.executable).parent)
    usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    result = {"PATH": f"{own}:{usual}", "HOME": "/root"}
    home = Path(conformance.__file__).resolve().parents[1]
    if home.name != "site-packages":
        result["PYTHONPATH"] = str(home)
    # The kit's folders are read-only in a pod.
    result["PYTHONDONTWRITEBYTECODE"] = "1"
    return result
