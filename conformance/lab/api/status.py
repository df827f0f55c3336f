"""Failures as the Kubernetes API says them: a ``Status`` object, its HTTP code, its reason and its causes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from conformance.lab.api.resources import Resource

Json = dict[str, Any]


def quote(value: object) -> str:
    """A value as Go's ``field.Error`` prints it: strings quoted, nil as null, objects as JSON."""
    if value is None:
        return "null"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One broken rule: the cause's reason, the field's path, and the words that follow the path."""

    reason: str
    field: str
    message: str

    @classmethod
    def invalid(cls, field: str, value: object, detail: str) -> Self:
        """The value breaks a rule."""
        return cls("FieldValueInvalid", field, f"Invalid value: {quote(value)}: {detail}")

    @classmethod
    def required(cls, field: str, detail: str = "") -> Self:
        """The field must have a value."""
        return cls("FieldValueRequired", field, "Required value" + (f": {detail}" if detail else ""))

    @classmethod
    def forbidden(cls, field: str, detail: str) -> Self:
        """The field may not be set here."""
        return cls("FieldValueForbidden", field, f"Forbidden: {detail}")

    @classmethod
    def duplicate(cls, field: str, value: object) -> Self:
        """Another element has the same key."""
        return cls("FieldValueDuplicate", field, f"Duplicate value: {quote(value)}")

    @classmethod
    def not_supported(cls, field: str, value: object, supported: Iterable[str]) -> Self:
        """The value is none of the closed set."""
        ordered = sorted(supported) if isinstance(supported, frozenset) else supported
        values = ", ".join(quote(each) for each in ordered)
        return cls("FieldValueNotSupported", field, f"Unsupported value: {quote(value)}: supported values: {values}")

    @classmethod
    def too_long(cls, field: str, limit: int) -> Self:
        """The string has too many bytes."""
        return cls("FieldValueTooLong", field, f"Too long: may not be more than {limit} bytes")

    @classmethod
    def too_many(cls, field: str, actual: int, limit: int) -> Self:
        """The list has too many elements."""
        items = "items" if limit != 1 else "item"
        return cls("FieldValueTooMany", field, f"Too many: {actual}: must have at most {limit} {items}")

    @classmethod
    def internal(cls, field: str, detail: str) -> Self:
        """The server could not do what the field asks for."""
        return cls("InternalError", field, f"Internal error: {detail}")

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class StatusError(Exception):
    """A request that fails: what the client is sent, and with which code."""

    def __init__(self, code: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def body(self) -> Json:
        """The ``Status`` object."""
        status: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        status["code"] = self.code
        return status


def _details(resource: Resource, name: str) -> Json:
    details: Json = {}
    if name:
        details["name"] = name
    if resource.group:
        details["group"] = resource.group
    details["kind"] = resource.plural
    return details


def not_found(resource: Resource, name: str) -> StatusError:
    """404: no such object."""
    return StatusError(404, "NotFound", f'{resource.qualified} "{name}" not found', _details(resource, name))


def no_such_path() -> StatusError:
    """404: no such resource."""
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(resource: Resource, name: str) -> StatusError:
    """409: the name is taken."""
    message = f'{resource.qualified} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, _details(resource, name))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(resource: Resource, name: str, why: str = MODIFIED) -> StatusError:
    """409: the object is not (any more) the one that was meant."""
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return StatusError(409, "Conflict", message, _details(resource, name))


def invalid(resource: Resource, name: str, errors: Sequence[FieldError]) -> StatusError:
    """422: the object breaks these rules."""
    kind = resource.kind + (f".{resource.group}" if resource.group else "")
    unique = list(dict.fromkeys(str(error) for error in errors))
    told = unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"
    causes = [{"reason": error.reason, "message": error.message, "field": error.field} for error in errors]
    details: Json = {"name": name} if name else {}
    if resource.group:
        details["group"] = resource.group
    details |= {"kind": resource.kind, "causes": causes}
    return StatusError(422, "Invalid", f'{kind} "{name}" is invalid: {told}', details)


def forbidden(resource: Resource, name: str, why: str) -> StatusError:
    """403: the request is understood and refused."""
    message = (
        f'{resource.qualified} "{name}" is forbidden: {why}' if name else f"{resource.qualified} is forbidden: {why}"
    )
    return StatusError(403, "Forbidden", message, _details(resource, name))


def bad_request(message: str) -> StatusError:
    """400: the request makes no sense."""
    return StatusError(400, "BadRequest", message)


def unauthorized() -> StatusError:
    """401: the credentials are none, or no longer."""
    return StatusError(401, "Unauthorized", "Unauthorized")


def expired(message: str) -> StatusError:
    """410: the asked version is older than the history."""
    return StatusError(410, "Expired", message)


def method_not_allowed() -> StatusError:
    """405: the resource has no such verb."""
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", message, {})


def unsupported_media_type(supported: str) -> StatusError:
    """415: the body's media type is unknown."""
    message = f"the body of the request was in an unknown format - accepted media types include: {supported}"
    return StatusError(415, "UnsupportedMediaType", message)


def internal_error(cause: str) -> StatusError:
    """500: the server failed, and this is why."""
    details = {"causes": [{"message": cause}]}
    return StatusError(500, "InternalError", f"Internal error occurred: {cause}", details)
