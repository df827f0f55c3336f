"""Services become what a step wants, against the embedded API server and its controllers."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from conformance.arrange.services import merge_patch

keys = st.sampled_from("abc")
objects = st.recursive(
    st.dictionaries(keys, st.integers(0, 2) | st.lists(st.integers(0, 2), max_size=2), max_size=3),
    lambda inner: st.dictionaries(keys, inner | st.integers(0, 2), max_size=3),
    max_leaves=6,
)


def applied(target: Any, patch: Any) -> Any:  # noqa: ANN401  JSON in, JSON out
    """RFC 7386, as it is written there."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = applied(result.get(key), value)
    return result


@given(objects, objects)
def test_a_merge_patch_makes_one_of_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    untouched = deepcopy(before)
    assert applied(before, merge_patch(before, after)) == after
    assert before == untouched


@given(objects, objects)
def test_what_nobody_said_is_left_alone(before: dict[str, Any], after: dict[str, Any]) -> None:
    stored = {**before, "server": {"set": 1}}
    assert applied(stored, merge_patch(before, after)) == {**after, "server": {"set": 1}}
    assert json.dumps(merge_patch(before, before)).count("null") == 0
