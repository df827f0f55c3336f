"""A field is called what the API server calls it."""

from __future__ import annotations

import pytest

from conformance.model.field import field_name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("spec.ports.0.nodePort", "spec.ports[0].nodePort"),
        ("spec.clusterIPs.1", "spec.clusterIPs[1]"),
        ("spec.ports.10.port", "spec.ports[10].port"),
        ("spec.type", "spec.type"),
        ("metadata.annotations.v1", "metadata.annotations.v1"),
    ],
)
def test_places_in_a_list_stand_in_brackets(path: str, name: str) -> None:
    assert field_name(path) == name
