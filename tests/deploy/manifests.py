"""The manifests of the kit, and whether the API has the fields that they use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client

JSON = dict[str, Any]
ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "fixtures" / "manifests"
JOB = MANIFESTS / "job"


def documents(path: Path) -> list[JSON]:
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def job() -> JSON:
    (made,) = documents(JOB / "job.yaml")
    return made


def plugin() -> JSON:
    (made,) = documents(MANIFESTS / "sonobuoy.yaml")
    return made


def wrong(value: object, kind: str, at: str) -> Iterator[str]:
    """Fields of ``value`` that an object of ``kind``, as the Python client names it, does not have."""
    inner = re.fullmatch(r"(?i:list\[|dict[(\[]str, )(.+)[\])]", kind)
    if inner and isinstance(value, dict | list):  # older clients write list[str] and dict(str, str)
        each = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in each:
            yield from wrong(one, inner[1], f"{at}.{key}")
    elif hasattr(client, kind):
        if not isinstance(value, dict):
            yield f"{at} is no {kind}"
            return
        model: Any = getattr(client, kind)
        types = {model.attribute_map[name]: type_ for name, type_ in model.openapi_types.items()}
        for key, one in value.items():
            if key in types:
                yield from wrong(one, types[key], f"{at}.{key}")
            else:
                yield f"{at} ({kind}) has no {key}"
    elif not isinstance(value, {"str": str, "int": int, "bool": bool}[kind]):
        yield f"{at} is no {kind}"
