"""The real Kubernetes that a user chose for a lab."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.lab.real import proxy_config
from conformance.lab.real.binaries import Binaries, find
from conformance.model.cluster import ProxyMode

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Real:
    """Programs, and what the user's KubeProxyConfiguration says (empty without one)."""

    binaries: Binaries
    proxy: Json

    @classmethod
    def decode(cls, plain: Json) -> Real:
        """From ``dataclasses.asdict``."""
        return cls(Binaries(**plain["binaries"]), plain["proxy"])


def choose(folder: Path, mode: ProxyMode | None = None, config: Path | None = None) -> tuple[ProxyMode, Real]:
    """kube-proxy's mode (``mode`` over what ``config`` says), and the programs in ``folder``, checked. ``KitError``."""
    given = proxy_config.read(config) if config else {}
    return mode or proxy_config.mode(given), Real(find(folder.absolute()), given)
