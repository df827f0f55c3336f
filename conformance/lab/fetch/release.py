"""What makes up a release: where each program is, and where its checksum. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from conformance.errors import UsageError

KUBERNETES_URL = "https://dl.k8s.io/release"
ETCD_URL = "https://github.com/etcd-io/etcd/releases/download"
FROM_KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-proxy")
ETCD = "etcd"
PROGRAMS = (*FROM_KUBERNETES, ETCD)

_VERSION = re.compile(r"v?(\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)\.\d+)?)", re.ASCII)
_ETCD_SINCE = ((34, "v3.6.8"), (0, "v3.5.24"))
"""The etcd for a Kubernetes minor from there on: SupportedEtcdVersion and MinExternalEtcdVersion of kubeadm 1.36
(cmd/kubeadm/app/constants/constants.go)."""


class Arch(Enum):
    """The processors that are offered, as releases name them."""

    AMD64 = "amd64"
    ARM64 = "arm64"


@dataclass(frozen=True, slots=True)
class Checksum:
    """Where a digest is written: ``algorithm`` as hashlib names it, ``entry`` the name by which a list has it."""

    url: str
    algorithm: str
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A program's download: the first of ``checksums`` that exists counts; ``member`` names it in a tarball."""

    program: str
    url: str
    checksums: tuple[Checksum, ...]
    member: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """One set of programs. Versions are as tags have them: ``v1.36.2``."""

    kubernetes: str
    etcd: str
    arch: Arch

    @classmethod
    def of(cls, kubernetes: str, etcd: str | None, arch: Arch) -> Release:
        """The release of these versions, the ``v`` left out or not; `UsageError` for what is no version."""
        tag = _tag("--version", kubernetes, "v1.36.2")
        return cls(tag, _tag("--etcd-version", etcd, "v3.6.8") if etcd else etcd_for(tag), arch)

    @property
    def folder(self) -> str:
        """The name of its folder in the cache, another one for every other content."""
        usual = self.etcd == etcd_for(self.kubernetes)
        return f"{self.kubernetes}-{self.arch.value}" + ("" if usual else f"-etcd-{self.etcd}")

    def artifacts(self, kubernetes_url: str = KUBERNETES_URL, etcd_url: str = ETCD_URL) -> tuple[Artifact, ...]:
        """What to download, below these addresses; `UsageError` when one is no HTTP address."""
        below = f"{_base(kubernetes_url)}/{self.kubernetes}/bin/linux/{self.arch.value}"
        plain = [_plain(name, f"{below}/{name}") for name in FROM_KUBERNETES]
        stem = f"etcd-{self.etcd}-linux-{self.arch.value}"
        there, tarball = f"{_base(etcd_url)}/{self.etcd}", f"{stem}.tar.gz"
        sums = Checksum(f"{there}/SHA256SUMS", "sha256", tarball)
        return (*plain, Artifact(ETCD, f"{there}/{tarball}", (sums,), f"{stem}/{ETCD}"))


def etcd_for(kubernetes: str) -> str:
    """The etcd that goes with a release of Kubernetes, if nothing else is said."""
    minor = int(kubernetes.split(".")[1])
    return next(etcd for since, etcd in _ETCD_SINCE if minor >= since)


def _plain(program: str, url: str) -> Artifact:
    return Artifact(program, url, tuple(Checksum(f"{url}.{name}", name) for name in ("sha512", "sha256")))


def _tag(option: str, text: str, example: str) -> str:
    version = _VERSION.fullmatch(text)
    if version is None:
        raise UsageError(f"{option} {text!r} is no version of a release.", f"For example: {option} {example}")
    return f"v{version[1]}"


def _base(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url!r} is no HTTP address.", f"For example: {KUBERNETES_URL}")
    return url.rstrip("/")
