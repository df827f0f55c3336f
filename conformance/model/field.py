"""The name of a field of an object, as the API server writes it."""

from __future__ import annotations

import re

_INDEX = re.compile(r"\.(\d+)(?=\.|$)")


def field_name(path: str) -> str:
    """``spec.ports[0].nodePort`` for the path ``spec.ports.0.nodePort``."""
    return _INDEX.sub(r"[\1]", path)
