"""What a node's kernel says below ``/proc``."""

from __future__ import annotations


def virtual_servers(text: str) -> int:
    """How many virtual servers ``/proc/net/ip_vs`` lists."""
    return sum(line.split(" ")[0] in ("TCP", "UDP", "SCTP", "FWM") for line in text.splitlines())


def interfaces(text: str) -> list[str]:
    """The interfaces that ``/proc/net/dev`` lists, behind its two lines of head."""
    return [line.partition(":")[0].strip() for line in text.splitlines()[2:] if ":" in line]


def strict_filters(text: str) -> list[str]:
    """The interfaces with a strict reverse path filter, from lines of an interface (or ``all``) and its ``rp_filter``.

    The kernel applies the larger of both (Documentation/networking/ip-sysctl.rst): 0 is none, 1 strict, 2 loose.
    ``ValueError`` when the lines are none of that form, or ``all`` is not among them.
    """
    values = {name: int(value) for name, _, value in (line.rpartition(" ") for line in text.splitlines())}
    if "all" not in values:
        raise ValueError("no rp_filter for all interfaces")
    own = ((name, value) for name, value in sorted(values.items()) if name not in ("all", "default", "lo"))
    return [name for name, value in own if max(value, values["all"]) == 1]
