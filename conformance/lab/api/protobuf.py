"""Requests in Kubernetes' protobuf form, as kubectl's own commands send them, read into JSON values."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from conformance.lab.api.schema import Field, messages
from conformance.lab.api.status import bad_request, unsupported_media_type

Json = dict[str, Any]

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"


class _Truncated(Exception):
    """The bytes end in the middle of a field."""


def decode(data: bytes) -> Json:
    """The object in an envelope (``runtime.Unknown``); 400 for garbage, 415 for what is not known here."""
    if not data.startswith(_MAGIC):
        raise bad_request("the body is no Kubernetes protobuf: it does not begin with k8s")
    try:
        version = kind = ""
        raw = b""
        for number, value in _fields(data[len(_MAGIC) :]):
            if number == 1 and isinstance(value, bytes):
                head = {each: part for each, part in _fields(value) if isinstance(part, bytes)}
                version, kind = head.get(1, b"").decode(), head.get(2, b"").decode()
            elif number == 2 and isinstance(value, bytes):
                raw = value
        if kind not in messages():
            raise unsupported_media_type(f"application/json, application/yaml (protobuf is not read for {kind})")
        return {"kind": kind, "apiVersion": version, **_message(kind, raw)}
    except (_Truncated, UnicodeDecodeError) as error:
        raise bad_request("the protobuf in the body is damaged") from error


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise _Truncated


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
                yield tag >> 3, value
            case 2:
                length, at = _varint(data, at)
                if at + length > len(data):
                    raise _Truncated
                yield tag >> 3, data[at : at + length]
                at += length
            case _:
                raise _Truncated


def _message(name: str, data: bytes) -> Json:
    known = messages()[name]
    found: Json = {}
    for number, raw in _fields(data):
        field = known.get(number)
        if field is None:
            raise unsupported_media_type(
                f"application/json, application/yaml (protobuf field {number} of {name} is not read)"
            )
        value = _value(field, raw)
        if value is None:
            continue
        if field.repeated:
            found.setdefault(field.name, []).append(value)
        elif isinstance(value, dict) and field.type in ("map", "bytes-map", "quantities"):
            found.setdefault(field.name, {}).update(value)
        else:
            found[field.name] = value
    return found


def _value(field: Field, raw: int | bytes) -> Any:  # noqa: ANN401  a JSON value
    """The JSON value of a field, None where it says nothing."""
    if isinstance(raw, int):
        # int32 and int64 are written in two's complement of 64 bits
        number = raw - (1 << 64) if raw >= 1 << 63 else raw
        if field.type == "bool":
            return bool(number) if number or field.keeps_zero else None
        return number if number or field.keeps_zero else None
    match field.type:
        case "string":
            return raw.decode() if raw or field.repeated else None
        case "skipped":
            return None
        case "map":
            key, value = _entry(raw)
            return {key: value.decode()}
        case "bytes-map":
            key, value = _entry(raw)
            return {key: base64.b64encode(value).decode()}
        case "quantities":
            key, value = _entry(raw)
            return {key: _text(value)}
        case "time":
            seconds = next((each for number, each in _fields(raw) if number == 1 and isinstance(each, int)), None)
            return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case "int-or-string":
            parts = dict(_fields(raw))
            text = parts.get(3, b"")
            return text.decode() if parts.get(1) == 1 and isinstance(text, bytes) else parts.get(2, 0)
        case _:
            return _message(field.type, raw) or (None if not field.repeated else {})


def _entry(raw: bytes) -> tuple[str, bytes]:
    parts = {number: value for number, value in _fields(raw) if isinstance(value, bytes)}
    return parts.get(1, b"").decode(), parts.get(2, b"")


def _text(raw: bytes) -> str:
    parts = {number: value for number, value in _fields(raw) if isinstance(value, bytes)}
    return parts.get(1, b"").decode()
