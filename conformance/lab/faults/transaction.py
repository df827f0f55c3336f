"""An nft transaction as kube-proxy writes it, one command a line, taken apart and put together again. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_ELEMENT = re.compile(
    r"^(?P<key>.+?)(?P<timeout>\s+timeout \S+)?(?:\s+comment \"(?P<comment>[^\"]*)\")?(?:\s+:\s+(?P<value>.+))?$"
)
_NAMED = ("chain", "rule", "set", "map", "element")


@dataclass(frozen=True, slots=True)
class Command:
    """One command; an ``element`` command has exactly one element. ``rest`` is what follows the name, as written."""

    verb: str
    kind: str
    family: str
    table: str
    name: str = ""
    rest: str = ""

    @property
    def text(self) -> str:
        """As nft reads it."""
        return " ".join(part for part in (self.verb, self.kind, self.family, self.table, self.name, self.rest) if part)

    @property
    def key(self) -> str:
        """The key of the element, its parts joined by `` . ``."""
        return self._element["key"] or ""

    @property
    def comment(self) -> str:
        """The comment of the element, or empty."""
        return self._element["comment"] or ""

    @property
    def value(self) -> str:
        """The value of a map's element: a verdict, as ``goto service-...``; empty for a set's."""
        return self._element["value"] or ""

    def with_element(self, *, key: str | None = None, value: str | None = None) -> Command:
        """The same command with another key or value."""
        key, value = self.key if key is None else key, self.value if value is None else value
        comment = f' comment "{self.comment}"' if self.comment else ""
        return replace(self, rest=f"{{ {key}{comment}{f' : {value}' if value else ''} }}")

    def with_rest(self, rest: str) -> Command:
        """The same command with something else behind the name."""
        return replace(self, rest=rest)

    @property
    def _element(self) -> dict[str, str | None]:
        match = _ELEMENT.match(self.rest.strip("{} "))
        return match.groupdict() if match else {"key": None, "comment": None, "value": None}


Transaction = tuple[Command, ...]


def parse(text: str) -> Transaction:
    """The commands of ``text``; those on several elements become one for each."""
    return tuple(command for line in text.splitlines() if line.strip() for command in _line(line.strip()))


def render(transaction: Transaction) -> str:
    """The inverse of `parse`, but for elements that were written in one command."""
    return "".join(f"{command.text}\n" for command in transaction)


def _line(line: str) -> Iterator[Command]:
    verb, kind, family, table, *rest = line.split(None, 4)
    tail = rest[0] if rest else ""
    if kind not in _NAMED:
        yield Command(verb, kind, family, table, "", tail)
        return
    name, _, tail = tail.partition(" ")
    if kind != "element":
        yield Command(verb, kind, family, table, name, tail)
        return
    for element in _split(tail.strip()[1:-1]):
        yield Command(verb, kind, family, table, name, f"{{ {element} }}")


def _split(elements: str) -> Iterator[str]:
    """At the commas outside quotes."""
    for part in re.findall(r'(?:[^,"]|"[^"]*")+', elements):
        if part.strip():
            yield part.strip()
