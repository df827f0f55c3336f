"""The file of interplay facts: its form, and that the kit's facts know what it names."""

from __future__ import annotations

from datetime import date
from itertools import chain

import pytest

from conformance.errors import UsageError
from conformance.facts import cni, dns, policy
from conformance.spec.concern import Concern
from conformance.spec.interplay import Part, Verdict, known, read

GOOD = """
[[component]]
name = "calico"
is = "cni"
verdict = "works"
since = "3.29"
dataplane = "nftables"
otherwise = "warning"
told = "It does."
remedy = "Nothing."
link = "https://example.org/"
as_of = 2026-11-27
review = 2027-05-31

[[bug]]
since = "1.29"
before = "1.35"
concerns = "udp"
verdict = "blocker"
summary = "It does not."
remedy = "Upgrade."
link = "https://example.org/"
"""


def test_an_entry_of_each_kind() -> None:
    found = read(GOOD, "it")
    (component,), (bug,) = found.components, found.bugs
    assert (component.part, component.since, component.otherwise) == (Part.CNI, (3, 29, 0), Verdict.WARNING)
    assert component.review == date(2027, 5, 31)
    assert found.component(Part.CNI, "calico") is component
    assert found.component(Part.POLICY, "calico") is None
    assert bug.concerns is Concern.UDP
    assert [bug.is_in(v) for v in ((1, 28, 9), (1, 29, 0), (1, 34, 9), (1, 35, 0))] == [False, True, True, False]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('is = "cni"', 'is = "cnu"', "component 1 has is = 'cnu', which is not one of cni"),
        ('since = "3.29"', "since = 3.29", "since = 3.29, which is not a version"),
        ('link = "https://example.org/"', 'link = "http://x"', "https:// address"),
        ("as_of = 2026-11-27", "", "component 1 has no as_of"),
        ("review = 2027-05-31", "review = 2026-05-31", "not after 2026-11-27"),
        ('since = "3.29"\ndataplane = "nftables"', "", "an otherwise, but neither since nor dataplane"),
        ('told = "It does."', 'told = "It does."\nsaid = 1', "says said, which means nothing"),
        ('before = "1.35"', 'before = "1.29"', "bug 1 ends before 1.29"),
        ('concerns = "udp"', 'concerns = "tcp"', "bug 1 has concerns = 'tcp'"),
        ("[[bug]]", "[[bugs]]", r"holds bugs, where only \[\[component\]\] and \[\[bug\]\] tables"),
        ("[[component]]", "[[component", "is no TOML"),
    ],
)
def test_what_is_malformed_is_told_in_one_sentence(old: str, new: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        read(GOOD.replace(old, new, 1), "it")


def test_a_component_is_there_once() -> None:
    with pytest.raises(UsageError, match="holds the cni calico twice"):
        read(GOOD + GOOD, "it")


def test_the_kits_own_file_names_what_facts_can_find() -> None:
    names = {
        Part.CNI: {p.name for p in cni.PRODUCTS} | {"canal"},
        Part.POLICY: {p.name for p in policy.PRODUCTS},
        Part.DNS: {dns.CACHE.name},
    }
    for one in known().components:
        assert one.part is Part.SYSTEM or one.name in names[one.part], one.name
        assert not one.told.endswith("."), one.name  # the date follows it
    assert len({b.link for b in known().bugs}) == len(known().bugs)


def test_every_plugin_that_can_leave_services_to_kube_proxy_is_looked_up() -> None:
    always_serve = {"ovn-kubernetes", "openshift-sdn"}
    listed = {c.name for c in known().components if c.part is Part.CNI}
    assert {p.name for p in cni.PRODUCTS} - listed == always_serve


def test_a_day_is_no_older_than_the_review_of_the_whole() -> None:
    days = chain.from_iterable((c.as_of, c.review) for c in known().components)
    assert min(days) >= date(2026, 11, 27)
