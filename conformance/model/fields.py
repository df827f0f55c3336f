"""Typed reading of JSON fields: absent means the default, nonsense is named with object, field and value."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

Json = Mapping[str, Any]
_E = TypeVar("_E", bound=Enum)


class MalformedObject(ValueError):
    """An API object has a value that the API would not have stored; the message names object, field and value."""


class Fields:
    """An object, or a part of one, whose fields are read by type; ``path`` leads to it, for messages."""

    def __init__(self, what: str, plain: object, path: str = "") -> None:
        if not isinstance(plain, Mapping):
            raise MalformedObject(f"{what}: {path or 'it'} is {_kind(plain)}, not an object")
        self.what, self._plain, self._path = what, plain, path

    def has(self, field: str) -> bool:
        """Whether ``field`` is there and not null."""
        return self._plain.get(field) is not None

    def part(self, field: str) -> Fields:
        """The object in ``field``, empty if absent."""
        return Fields(self.what, self._plain[field] if self.has(field) else {}, self._at(field))

    def parts(self, field: str) -> list[Fields]:
        """The objects in the list ``field``."""
        return [Fields(self.what, each, f"{self._at(field)}[]") for each in self._list(field)]

    def text(self, field: str, default: str = "") -> str:
        """The string in ``field``; empty counts as absent."""
        value = self._plain.get(field)
        if value is None or value == "":
            return default
        if not isinstance(value, str):
            raise self._fault(field, value, "no string")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        """The strings in the list ``field``."""
        return tuple(self._string(field, each) for each in self._list(field))

    def labels(self, field: str) -> dict[str, str]:
        """The map of strings in ``field``."""
        found = self.part(field)
        return {str(key): found.text(str(key)) for key in found._plain}

    def flag(self, field: str) -> bool | None:
        """The boolean in ``field``, None if absent."""
        value = self._plain.get(field)
        if value is not None and not isinstance(value, bool):
            raise self._fault(field, value, "neither true nor false")
        return value

    def number(self, field: str, default: int) -> int:
        """The whole number in ``field``."""
        value = self._plain.get(field)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._fault(field, value, "no whole number")
        return value

    def port(self, field: str, default: int | None = None) -> int:
        """The port number in ``field``; a fault if it is absent and has no default."""
        value = self._plain.get(field, default)
        value = default if value is None else value
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
            raise self._fault(field, value, "no port")
        return value

    def target(self, field: str, default: int) -> int | str:
        """The port number or port name in ``field``."""
        value = self._plain.get(field)
        return value if isinstance(value, str) and value else self.port(field, default)

    def choice(self, field: str, kind: type[_E], default: str = "") -> _E:
        """The member of ``kind`` in ``field``."""
        return self._member(field, kind, self.text(field, default))

    def choices(self, field: str, kind: type[_E]) -> tuple[_E, ...]:
        """The members of ``kind`` in the list ``field``."""
        return tuple(self._member(field, kind, each) for each in self.texts(field))

    def address(self, field: str) -> str:
        """The IP address in ``field``, in its usual form."""
        return self._address(field, self.text(field))

    def addresses(self, field: str, besides: str = "") -> tuple[str, ...]:
        """The IP addresses in the list ``field``; the word ``besides`` is let through."""
        return tuple(a if a == besides else self._address(field, a) for a in self.texts(field))

    def cidrs(self, field: str) -> tuple[str, ...]:
        """The CIDRs in the list ``field``, host bits cleared."""
        # The API's validation lets blanks around a source range pass; kube-proxy trims them.
        found = []
        for each in self.texts(field):
            try:
                found.append(str(ipaddress.ip_network(each.strip(), strict=False)))
            except ValueError:
                raise self._fault(field, each, "no CIDR") from None
        return tuple(found)

    def _at(self, field: str) -> str:
        return f"{self._path}.{field}" if self._path else field

    def _list(self, field: str) -> list[object]:
        value = self._plain.get(field)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            raise self._fault(field, value, "no list")
        return list(value)

    def _string(self, field: str, value: object) -> str:
        if not isinstance(value, str):
            raise self._fault(field, value, "no string")
        return value

    def _member(self, field: str, kind: type[_E], value: str) -> _E:
        try:
            return kind(value)
        except ValueError:
            known = ", ".join(str(m.value) for m in kind)
            raise self._fault(field, value, f"none of {known}") from None

    def _address(self, field: str, value: str) -> str:
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            raise self._fault(field, value, "no IP address") from None

    def _fault(self, field: str, value: object, why: str) -> MalformedObject:
        return MalformedObject(f"{self.what}: {self._at(field)} is {value!r}, which is {why}")


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__
