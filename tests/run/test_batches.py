"""How cells are dealt out: whole areas, evenly, and the same on every process."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fixtures.batches import group_of

files = st.lists(st.sampled_from([f"suites/{c}/test_{c}.py" for c in "abcdefgh"]), min_size=1, max_size=200)


@given(files, st.integers(1, 4))
def test_every_process_deals_out_alike(some: list[str], groups: int) -> None:
    ids = [f"{file}::test[{i}]" for i, file in enumerate(some)]
    found = group_of(ids, groups)
    assert found == group_of(reversed(ids), groups)
    assert found.keys() == set(some)
    assert set(found.values()) <= set(range(groups))


@given(files, st.integers(2, 4))
def test_no_process_has_all_the_work_while_another_has_none(some: list[str], groups: int) -> None:
    found = group_of((f"{file}::test[{i}]" for i, file in enumerate(some)), groups)
    loads = [sum(found[file] == group for file in some) for group in range(groups)]
    largest = max(some.count(file) for file in set(some))
    assert max(loads) - min(loads) <= largest
