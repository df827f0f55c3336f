"""Edits of recorded tables, each with what the audit has to say of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.audit import Kind
from tests.audit.recorded import Json, Listing

Edit = Callable[[Listing], None]
EDITS: dict[str, tuple[Kind, str, Edit]] = {}
"""By name: the kind of finding, and the object that it is about."""

NP_TWO = "default/np-two:http"
CIP_TWO = "service-*default/cip-two/tcp/http"


def finds(kind: Kind, about: str = "") -> Callable[[Edit], Edit]:
    """Registers an edit."""

    def register(edit: Edit) -> Edit:
        EDITS[edit.__name__] = (kind, about, edit)
        return edit

    return register


def from_source(address: str) -> Json:
    """The match of one client."""
    return {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": address}}


def element(listing: Listing, container: str, word: str) -> Any:  # noqa: ANN401  JSON
    """The element of which ``word`` is a part."""
    return next(e for e in listing.elements(container) if word in str(e))
