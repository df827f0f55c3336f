"""What the API's RBAC must permit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One permission; in all namespaces, or for what has none, without ``namespace``.

    ``resource`` is a plural with its group or its subresource (``daemonsets.apps``, ``pods/exec``). ``names``: only
    objects of these names; none listed: all.
    """

    verb: str
    resource: str
    namespace: str = ""
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}" + (f" in {self.namespace}" if self.namespace else "")

    @property
    def group(self) -> str:
        """The API group of the resource, empty for the core's."""
        return self.resource.partition(".")[2]

    @property
    def plural(self) -> str:
        """The resource without its group, as a rule names it: ``daemonsets``, ``pods/exec``."""
        return self.resource.partition(".")[0]

    def includes(self, other: Grant) -> bool:
        """Whether who has this one needs ``other`` no more."""
        same = (self.verb, self.resource) == (other.verb, other.resource)
        named = not self.names or (bool(other.names) and set(other.names) <= set(self.names))
        return same and named and self.namespace in ("", other.namespace)


def needed(grants: tuple[Grant, ...], beside: tuple[Grant, ...] = ()) -> tuple[Grant, ...]:
    """``grants`` in order and each once, without those that another one of them, or one of ``beside``, includes."""
    every = tuple(dict.fromkeys(grants))
    return tuple(
        sorted(
            one
            for one in every
            if not any(other.includes(one) for other in beside)
            and not any(other != one and other.includes(one) for other in every)
        )
    )
