"""Network configurations, results and the cache: what is taken, what is refused, and in which words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.lab.addresses import AddressPlan
from conformance.lab.cni import conf, filling, result
from conformance.lab.cni.cache import Cache, Cached
from conformance.lab.cni.capabilities import capabilities
from conformance.lab.cni.execution import Attachment
from conformance.lab.kubelet.wanted import Bandwidth, PortMapping, wanted

Json = dict[str, Any]
GOOD: Json = {"cniVersion": "1.0.0", "name": "net", "plugins": [{"type": "bridge"}]}

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["cniVersion", "name", "plugins", "type", "ipam", "ips", "interfaces", "interface", "msg"]),
            inner,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"cniVersion": None}, "names no cniVersion"),
        ({"cniVersion": 1}, "'cniVersion' that is no string"),
        ({"cniVersion": "9.0.0"}, "unknown cniVersion '9.0.0'; known are 0.3.0"),
        ({"cniVersions": "1.0.0"}, "'cniVersions' that are not a list of strings"),
        ({"cniVersion": "0.1.0", "cniVersions": ["9.0.0"]}, "unknown cniVersion '9.0.0', '0.1.0'; known are 0.3.0"),
        ({"name": ""}, "names no name"),
        ({"name": "a/b"}, "the name 'a/b'"),
        ({"plugins": []}, "no plugins"),
        ({"plugins": {}}, "no plugins"),
        ({"plugins": None}, "no plugins"),
        ({"plugins": ["bridge"]}, "wrong in plugins[0]: a plugin is an object"),
        ({"plugins": [{"type": "bridge"}, {}]}, "wrong in plugins[1]: it names no type"),
        ({"plugins": [{"type": "../sh"}]}, "which is no program's name"),
        ({"plugins": [{"type": "bridge", "ipam": []}]}, "'ipam' that is no object"),
        ({"plugins": [{"type": "bridge", "ipam": {"subnet": "10.0.0.0/8"}}]}, "names no type"),
        ({"plugins": [{"type": "bridge", "capabilities": {"mac": "yes"}}]}, "not an object of true and false"),
        ({"disableCheck": "perhaps"}, "neither true nor false"),
    ],
)
def test_what_is_wrong_is_named(changed: Json, words: str) -> None:
    with pytest.raises(conf.ConfError) as caught:
        conf.parse(json.dumps({**GOOD, **changed}))
    assert words in str(caught.value)


def test_broken_json_is_told_with_its_line() -> None:
    with pytest.raises(conf.ConfError, match=r"is not JSON \(line 2: "):
        conf.parse('{"cniVersion": "1.0.0",\n oops}')


@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        ({"cniVersions": ["0.4.0", "1.1.0", "1.0.0"]}, "1.1.0"),
        ({"cniVersions": ["0.4.0", "1.7.0"]}, "1.0.0"),
        ({"cniVersion": "9.0.0", "cniVersions": ["0.3.1", "0.4.0"]}, "0.4.0"),
    ],
)
def test_the_newest_known_version_that_is_offered_is_spoken(said: Json, chosen: str) -> None:
    assert conf.of({**GOOD, **said}).version == chosen
    only = {key: value for key, value in GOOD.items() if key != "cniVersion"}
    assert conf.of({**only, "cniVersions": [chosen]}).version == chosen


def test_one_plugin_is_a_list_of_one() -> None:
    network = conf.parse('{"cniVersion": "0.3.1", "name": "n", "type": "ptp", "ipam": {"type": "host-local"}}')
    assert network.types == ("ptp", "host-local")
    assert (network.checks, network.collects) == (False, False)
    assert conf.of({**GOOD, "cniVersion": "1.1.0", "disableCheck": "true"}).disable_check


@given(anything)
def test_nothing_is_worse_than_refused(found: object) -> None:
    text = json.dumps(found)
    try:
        network = conf.parse(text)
    except conf.ConfError as error:
        assert "\n" not in str(error)
    else:
        assert network.plugins and all(one["type"] for one in network.plugins)


def test_a_plugin_is_told_what_it_declares_and_no_more() -> None:
    plugin = {"type": "portmap", "capabilities": {"portMappings": True, "bandwidth": False}}
    network = conf.of({**GOOD, "plugins": [plugin]})
    pod = {
        "metadata": {"annotations": {"kubernetes.io/ingress-bandwidth": "10M", "kubernetes.io/egress-bandwidth": "1x"}},
        "spec": {"containers": [{"ports": [{"containerPort": 80, "hostPort": 8080, "hostIP": "0.0.0.0"}]}]},
    }
    asked = wanted(pod)
    assert asked.ports == (PortMapping(8080, 80, "tcp"),)
    assert asked.bandwidth == Bandwidth(ingress=10_000_000)
    known = capabilities(asked, ["10.244.1.0/24"])
    assert known["bandwidth"] == {"ingressRate": 10_000_000, "ingressBurst": 2**32 - 1}
    assert known["ipRanges"] == [[{"subnet": "10.244.1.0/24"}]]
    assert conf.told(network, plugin, known, {"cniVersion": "1.0.0"}) == {
        "type": "portmap",
        "name": "net",
        "cniVersion": "1.0.0",
        "runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]},
        "prevResult": {"cniVersion": "1.0.0"},
    }
    assert "runtimeConfig" not in conf.told(network, {"type": "bridge"}, known, None)


def test_addresses_are_the_pods_one_a_family() -> None:
    found = result.added(
        json.dumps(
            {
                "cniVersion": "1.0.0",
                "interfaces": [{"name": "cni0"}, {"name": "eth0", "sandbox": "/run/netns/x"}],
                "ips": [
                    {"address": "10.0.0.1/24", "interface": 0},
                    {"address": "fd00::5/64", "interface": 1},
                    {"address": "10.0.0.5/24", "interface": 1},
                    {"address": "10.0.0.6/24"},
                ],
            }
        ).encode()
    )
    assert result.addresses(found) == ("10.0.0.5", "fd00::5")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (b"", "answered nothing"),
        (b"hello", "answered 'hello', which is no JSON"),
        (b"[]", "which is no result"),
        (b"{}", "without a cniVersion"),
        (b'{"cniVersion": "1.0.0", "ips": [1]}', "malformed ips"),
        (b'{"cniVersion": "1.0.0"}', "gave the pod no address"),
        (b'{"cniVersion": "1.0.0", "ips": [{"address": "x"}]}', "'x', which is no address"),
        (b'{"cniVersion": "1.0.0", "ips": [{"address": "10.0.0.1/8", "interface": 3}]}', "interface 3"),
    ],
)
def test_answers_that_are_none(output: bytes, words: str) -> None:
    with pytest.raises(result.ResultError) as caught:
        result.addresses(result.added(output))
    assert words in str(caught.value)


@given(anything.map(lambda found: json.dumps(found).encode()) | st.binary(max_size=40), st.binary(max_size=40))
def test_any_answer_is_an_answer_or_a_sentence(output: bytes, errors: bytes) -> None:
    assert "\n" not in str(result.failure(output, errors, 1))
    for parse in (result.added, result.spoken):
        try:
            found = parse(output)
        except result.ResultError as error:
            assert str(error)
        else:
            assert found is not None


def test_a_failure_is_the_plugins_own_words() -> None:
    said = b'{"cniVersion": "1.0.0", "code": 11, "msg": "try again", "details": "no lease"}'
    assert str(result.failure(said, b"", 1)) == "try again (no lease) [code 11]"
    assert str(result.failure(b"", b"panic:\n\tboom", 2)) == "ended with 2: panic: boom"
    assert str(result.failure(b"", b"", -9)) == "ended with signal 9 and said nothing"


@given(st.integers(1, 16))
def test_nodes_never_share_what_is_theirs_to_give(count: int) -> None:
    plan = AddressPlan(count)
    for family in ("IPV4", "IPV6"):
        given_away: set[int] = set()
        for node in plan.nodes:
            known = filling.values(plan, node)
            first, last = (
                int(known[f"UPLINK_{end}_{family}"].replace(":", ".").split(".")[-1]) for end in ("FIRST", "LAST")
            )
            own = set(range(first, last + 1))
            assert own and not own & given_away and min(own) > 102 and max(own) < 255
            given_away |= own


def test_placeholders_are_filled_in_everywhere_and_unknown_ones_refused() -> None:
    plan = AddressPlan(2)
    known = filling.values(plan, plan.nodes[1])
    assert filling.fill({"a": ["${POD_CIDR_IPV4} ${NODE}", 1]}, known) == {"a": ["10.244.2.0/24 node-b", 1]}
    with pytest.raises(conf.ConfError, match=r"unknown placeholder \$\{POD_CIDR\}; there are NODE, "):
        filling.fill(["${POD_CIDR}"], known)
    ipam = {"type": "bridge", "ipam": {"type": "host-local", "dataDir": "/var/lib/cni"}}
    assert filling.kept_in(ipam, Path("/x"))["ipam"]["dataDir"] == "/x"


def test_what_add_did_is_remembered_and_damage_is_no_memory(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "results")
    attachment = Attachment("0a", "eth0", "/run/netns/x", "IgnoreUnknown=1")
    cached = Cached(conf.of({**GOOD, "disableGC": True}), attachment, {"mac": "x"}, {"cniVersion": "1.0.0"})
    cache.write(cached)
    assert Cache(tmp_path / "results").read(attachment) == cached
    assert list(cache.every()) == [cached]
    for damage in ("", "{}", "[]", '{"network": 1, "result": null}'):
        (tmp_path / "results" / "0a-eth0.json").write_text(damage)
        assert cache.read(attachment) is None
    assert list(cache.every()) == [] and not list((tmp_path / "results").iterdir())
