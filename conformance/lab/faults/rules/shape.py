"""The words of kube-proxy's table: its maps and sets, whose chains are whose, and what a command is about. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from conformance.lab.faults.transaction import Command, Transaction

ENTRANCES = ("service-ips", "service-nodeports")
"""The maps that lead packets to a Service."""
SILENCES = ("no-endpoint-services", "no-endpoint-nodeports")
"""The maps that say what becomes of packets to a Service without endpoints; in the order of `ENTRANCES`."""
PER_SERVICE = (*ENTRANCES, *SILENCES, "firewall-ips", "cluster-ips", "hairpin-connections")
"""All that Services fill."""

_CHAIN = re.compile(
    r"[a-z]+-[A-Z2-7]{8}-(?P<namespace>[^/\s]+)/(?P<name>[^/\s]+)/(?P<protocol>[a-z]+)/(?P<port>[^/\s]*)"
)
_OWNED = re.compile(r"^[a-z]+-[A-Z2-7]{8}-(?P<port>[^/_]+/[^/_]+/[^/_]+/[^/_]*)(?:__(?P<endpoint>.+))?$")


@dataclass(frozen=True, slots=True)
class Owner:
    """The Service port that a chain is for; kube-proxy cuts very long names, which then tell less."""

    namespace: str
    name: str
    protocol: str
    port: str

    @property
    def service(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"


def owner(text: str) -> Owner | None:
    """Whose the first chain in ``text`` is; None when it names no chain of a Service."""
    found = _CHAIN.search(text)
    return Owner(**found.groupdict()) if found else None


def is_flush(command: Command, *containers: str) -> bool:
    """Whether it empties one of these maps and sets."""
    return command.verb == "flush" and command.kind in ("set", "map") and command.name in containers


def is_element(command: Command, verb: str, *containers: str) -> bool:
    """Whether it adds, or deletes, an element of one of these maps and sets."""
    return (command.verb, command.kind) == (verb, "element") and command.name in containers


def is_rule(command: Command, *chains: str) -> bool:
    """Whether it adds a rule to a chain whose name begins with one of these."""
    return (command.verb, command.kind) == ("add", "rule") and command.name.startswith(chains)


def place(command: Command) -> str:
    """Where an element stands: ``container key``."""
    return f"{command.name} {command.key}"


def port_of(name: str) -> str:
    """``namespace/service/protocol/port`` of a chain or set that belongs to a Service; empty for the others."""
    match = _OWNED.match(name)
    return match["port"] if match else ""


def endpoint_of(name: str) -> str:
    """``ip/port`` of the endpoint that a chain or set belongs to; empty for the others."""
    match = _OWNED.match(name)
    return match["endpoint"] or "" if match else ""


def is_full(transaction: Transaction) -> bool:
    """Whether it writes everything anew, whatever was there: only those add the table."""
    return any((c.verb, c.kind) == ("add", "table") for c in transaction)


def is_service_rule(command: Command, *prefixes: str) -> bool:
    """Whether it adds a rule to a Service's chain with one of the ``prefixes`` (``service-``, ``local-`` ...)."""
    return (command.verb, command.kind) == ("add", "rule") and is_service_chain(command.name, *prefixes)


def is_affinity_set(command: Command) -> bool:
    """Whether it adds or deletes the set that remembers an endpoint's clients."""
    return command.kind == "set" and command.name.startswith("affinity-")


def is_service_chain(name: str, *prefixes: str) -> bool:
    """Whether it is the name of a Service's chain with one of the ``prefixes``."""
    # Base chains have names like these ("service-endpoints-check"), but only those of Services have a slash.
    return "/" in name and name.startswith(prefixes)
