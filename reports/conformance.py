"""The conformance report as YAML, written, and read from whoever sent it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from conformance.certify.report import API_VERSION, Report
from conformance.errors import UsageError
from conformance.model.printable import short
from conformance.results.codec import Malformed, decode, encode

LONGEST = 2**17
"""Bytes: a report that lists every case of the kit in every way has a fifth."""
_DEEPEST = 16
_MOST = 50
"""Complaints about the form: a document that has more is none of ours."""
_GROWS = "The report has anchors, aliases or merge keys, which none needs."
_SCHEMA = Path(__file__).with_name("conformance.schema.json")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: the report, if it can be told what it says, and what is wrong with its form, a sentence each."""

    report: Report | None
    complaints: tuple[str, ...] = ()


class _Unfit(Exception):
    """The document is not one that we read; the text is a sentence."""


def document(report: Report) -> bytes:
    """The report as YAML; what is empty is left out."""
    text: str = yaml.safe_dump(_keyed(encode(report), _camel), sort_keys=False, width=120)
    return text.encode()


def load(path: Path) -> Reading:
    """The report in ``path``, whatever it holds; `UsageError` when it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.", "Name a conformance report.") from error
    return read(content)


def read(content: bytes) -> Reading:
    """The report that ``content`` tells of: the form is checked against the schema, the rest is `verify`'s."""
    try:
        plain = _plain(content)
    except _Unfit as error:
        return Reading(None, (str(error),))
    if plain.get("apiVersion") != API_VERSION:
        return Reading(None, (f"apiVersion is {short(str(plain.get('apiVersion')))}; this kit reads {API_VERSION}.",))
    complaints = tuple(islice(_misfits(plain), _MOST))
    try:
        report = decode(Report, _keyed(plain, _snake), "report")
    except Malformed as error:
        return Reading(None, complaints or (f"The report is not of its schema: {short(str(error))}.",))
    return Reading(report, complaints)


def _misfits(plain: dict[str, Any]) -> Iterator[str]:
    schema = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    for error in Draft202012Validator(schema).iter_errors(plain):
        yield f"The report is not of its schema at {short(error.json_path, 100)}: {short(error.message, 200)}."


def _plain(content: bytes) -> dict[str, Any]:
    if len(content) > LONGEST:
        raise _Unfit(f"The report is longer than {LONGEST} bytes, which none is.")
    try:
        text = content.decode()
        _check(text)
        plain = yaml.load(text, _Loader)  # noqa: S506  a SafeLoader
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise _Unfit(f"The report is no YAML: {short(' '.join(str(error).split()), 200)}.") from error
    if not isinstance(plain, dict):
        raise _Unfit("The report is no mapping.")
    return plain


def _check(text: str) -> None:
    """Before anything is built of it: nothing that could grow, or run deeper than the stack."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Unfit(_GROWS)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise _Unfit(f"The report is nested more than {_DEEPEST} deep, which none is.")


class _Loader(yaml.SafeLoader):
    """Takes no key twice: YAML leaves open which one counts."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        if "<<" in names:
            raise _Unfit(_GROWS)
        if twice := [name for name, count in names.items() if count > 1]:
            raise _Unfit(f"The report says {short(', '.join(twice))} more than once in one place.")
        return super().construct_mapping(node, deep)


def _keyed(plain: Any, to: Callable[[str], str]) -> Any:  # noqa: ANN401  JSON in, JSON out
    if isinstance(plain, dict):
        return {to(str(key)): _keyed(value, to) for key, value in plain.items()}
    return [_keyed(one, to) for one in plain] if isinstance(plain, list) else plain


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)
