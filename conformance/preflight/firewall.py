"""Where a node's ruleset drops what nobody accepts, by what ``nft -j list ruleset`` printed. Pure."""

from __future__ import annotations

import json
from typing import Any

from conformance.model.printable import short

_HOOKS = ("input", "forward")
_OWN = "kube-proxy"


class MalformedListing(ValueError):
    """That is nothing that nft prints; the message says why."""


def drops(text: str) -> tuple[str, ...]:
    """The base chains in which Service traffic can end: hook input or forward, policy drop, of anybody's tables."""
    try:
        plain = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as fault:
        raise MalformedListing(f"it is no complete JSON ({fault})") from None
    objects = plain.get("nftables") if isinstance(plain, dict) else None
    if not isinstance(objects, list):
        raise MalformedListing("it has no list 'nftables'")
    chains = [one["chain"] for one in objects if isinstance(one, dict) and isinstance(one.get("chain"), dict)]
    return tuple(_told(chain) for chain in chains if _drops(chain))


def _drops(chain: dict[str, Any]) -> bool:
    return chain.get("hook") in _HOOKS and chain.get("policy") == "drop" and chain.get("table") != _OWN


def _told(chain: dict[str, Any]) -> str:
    named = " ".join(str(chain.get(field, "")) for field in ("family", "table", "name"))
    return short(f"chain {named}, hook {chain['hook']}, policy drop", 120)
