"""The real kube-proxy's configuration: the lab's, with the user's merged over it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.errors import UsageError
from conformance.model.cluster import ProxyMode

Json = dict[str, Any]

KIND = "KubeProxyConfiguration"
MODES = (ProxyMode.NFTABLES, ProxyMode.IPTABLES)
"""What a lab's kube-proxy can be in."""

_OWN = ("clientConnection.kubeconfig", "healthzBindAddress")


def read(path: Path) -> Json:
    """The KubeProxyConfiguration in the file at ``path``; ``UsageError``."""
    import yaml  # noqa: PLC0415  (most labs have no such file)

    try:
        found = yaml.safe_load(path.read_text())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", "Name a readable file.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not one YAML document.", f"Name a file with a {KIND}.") from error
    if not isinstance(found, dict) or found.get("kind") != KIND:
        raise UsageError(f"{path} is no {KIND}.", f"It is a mapping with 'kind: {KIND}'.")
    for name in _OWN:
        if _has(found, name):
            raise UsageError(f"{path} sets {name}, which is the lab's.", "Leave it out.")
    return found


def mode(given: Json) -> ProxyMode:
    """The mode that a configuration asks for, nftables when it leaves it open; ``UsageError``."""
    said = given.get("mode") or ProxyMode.NFTABLES.value
    for known in MODES:
        if said == known.value:
            return known
    raise UsageError(f"A lab cannot have kube-proxy in mode {said!r}.", "It can have nftables or iptables.")


def merged(base: Json, over: Json) -> Json:
    """``over`` merged into ``base``: mappings key by key, everything else replaced (pure)."""
    result = dict(base)
    for name, value in over.items():
        mine = result.get(name)
        result[name] = merged(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value
    return result


def _has(document: Json, dotted: str) -> bool:
    first, _, rest = dotted.partition(".")
    inner = document.get(first)
    return first in document if not rest else isinstance(inner, dict) and _has(inner, rest)
