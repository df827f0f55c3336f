"""A range of groups as the kernel takes it: both ends must exist in the user namespace."""

from __future__ import annotations

import pytest

from conformance.lab.netns import groups_here

EVERYBODY = "         0          0 4294967295\n"
ALONE = "         0       1000          1\n"
CONTAINER = "         0       1000          1\n         1     100000      65536\n"


@pytest.mark.parametrize(
    ("asked", "gid_map", "written"),
    [
        ("0 2147483647", EVERYBODY, "0 2147483647"),
        ("0 2147483647", ALONE, "0 0"),
        ("0\t2147483647", CONTAINER, "0 65536"),
        ("0 1000", CONTAINER, "0 1000"),
        ("5 10", ALONE, "5 10"),  # nobody of these is here: for the kernel to refuse
        ("1 0", EVERYBODY, "1 0"),  # nobody at all
        ("all", EVERYBODY, "all"),
    ],
)
def test_a_range_ends_at_the_last_group_that_exists_here(asked: str, gid_map: str, written: str) -> None:
    assert groups_here(asked, gid_map) == written
