"""Choosing a pod network: what is wrong with it is said before a lab boots; and the kit's own profiles are whole."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from conformance.cli.cni import folder
from conformance.errors import EnvironmentFault, KitError, UsageError
from conformance.lab.addresses import AddressPlan
from conformance.lab.cni.choice import Cni, of_file, of_profile
from conformance.lab.cni.place import Place
from conformance.lab.cni.profile import names, profiles
from conformance.lab.cni.setup import trial
from fixtures.catalogue import areas
from tests.run.conftest import Run, nftconform
from tests.run.test_bad_input import refused

Json = dict[str, Any]
__all__ = ["nftconform"]

_SPEAKS = '#!/bin/sh\necho \'{"cniVersion": "1.0.0", "supportedVersions": ["0.4.0", "1.0.0"]}\'\n'


def conflist(tmp_path: Path, **changed: object) -> Path:
    good: Json = {"cniVersion": "1.0.0", "name": "mine", "plugins": [{"type": "bridge"}]}
    path = tmp_path / "net.conflist"
    path.write_text(json.dumps({**good, **changed}))
    return path


def plugins(tmp_path: Path, content: str | bytes | None = _SPEAKS, mode: int = 0o755) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    if content is not None:
        (folder / "bridge").write_bytes(content if isinstance(content, bytes) else content.encode())
        (folder / "bridge").chmod(mode)
    return folder


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (None, 0, "needs the CNI plugin bridge, which is not in "),
        (_SPEAKS, 0o644, "bridge is not executable. Run 'chmod +x "),
        (b"\x7fELF\x02\x01\x01" + bytes(11) + b"\xf3\x00", 0o755, "is a program for riscv64, and this machine is "),
        (b"hello", 0o755, "bridge is no program"),
        ("#!/bin/sh\nexit 3\n", 0o755, "bridge failed at VERSION: ended with 3 and said nothing"),
        ("#!/bin/sh\necho hello\n", 0o755, "does not say which versions of CNI it speaks"),
        (_SPEAKS.replace(', "1.0.0"]', "]"), 0o755, "does not speak version 1.0.0, but 0.4.0. Change"),
        ("#!/no/such/interpreter\n", 0o755, "cannot be run: No such file or directory"),
    ],
)
def test_a_plugin_that_is_none(tmp_path: Path, content: str | bytes | None, mode: int, words: str) -> None:
    with pytest.raises(KitError) as caught:
        of_file(conflist(tmp_path), [plugins(tmp_path, content, mode)])
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"cniVersion": "2.0.0"}, "unknown cniVersion '2.0.0'"),
        ({"plugins": []}, "has no plugins"),
        ({"plugins": [{"type": "bridge", "mtu": "${MTU}"}]}, "unknown placeholder ${MTU}"),
        ({"plugins": [{"type": "bridge", "ipam": {"type": "nowhere"}}]}, "needs the CNI plugin nowhere"),
    ],
)
def test_a_conflist_that_is_none(tmp_path: Path, changed: Json, words: str) -> None:
    path = conflist(tmp_path, **changed)
    with pytest.raises(UsageError) as caught:
        of_file(path, [plugins(tmp_path)])
    assert words in str(caught.value) and str(path) in str(caught.value)


def test_folders_and_files_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        of_file(tmp_path / "none", [plugins(tmp_path)])
    with pytest.raises(UsageError, match="There is no folder"):
        of_file(conflist(tmp_path), [tmp_path / "none"])
    monkeypatch.setattr("conformance.lab.cni.choice.USUAL", (str(tmp_path / "none"),))
    with pytest.raises(EnvironmentFault, match="package containernetworking-plugins"):
        of_profile(folder(), "ptp")
    with pytest.raises(UsageError, match=r"no CNI profile 'weave'\. There are bridge-hairpin, "):
        of_profile(folder(), "weave")


@pytest.mark.parametrize(
    ("plugin", "needed"),
    [
        ({"ipMasq": True}, True),
        ({"ipMasq": True, "ipMasqBackend": "iptables"}, True),
        ({"ipMasq": True, "ipMasqBackend": "nftables"}, False),
        ({}, False),
        ({"type": "portmap"}, True),
        ({"type": "portmap", "backend": "nftables"}, False),
        ({"type": "firewall", "backend": "iptables"}, True),
    ],
)
def test_iptables_is_asked_for_where_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: Json, *, needed: bool
) -> None:
    path, bins = conflist(tmp_path, plugins=[{"type": "bridge", **plugin}]), plugins(tmp_path)
    for name in ("portmap", "firewall"):
        (bins / name).symlink_to("bridge")
    monkeypatch.setattr("conformance.lab.cni.choice._BRIDGE_NETFILTER", tmp_path / "none")
    monkeypatch.setattr("conformance.lab.cni.choice.search_path", lambda: str(tmp_path))
    if needed:
        with pytest.raises(EnvironmentFault, match="uses iptables, which is not installed"):
            of_file(path, [bins])
    else:
        assert of_file(path, [bins]).name == "mine"


def test_on_the_command_line_it_is_one_sentence_and_no_lab(tmp_path: Path, nftconform: Run) -> None:
    bad = str(conflist(tmp_path, plugins=[{"type": "no-such-plugin"}]))
    refused(nftconform("lab", "up", "--cni-conf", bad), "no-such-plugin", "--cni-bin")
    refused(nftconform("run", "--lab", "--cni", "ptp", "--cni-conf", bad), "Give one of them")
    refused(nftconform("run", "--cni", "ptp"), "--cni", "Give --lab")
    assert not (tmp_path / ".lab").exists()


def test_a_plugin_that_fails_on_the_node_ends_the_start_in_one_sentence(tmp_path: Path, nftconform: Run) -> None:
    failing = '[ "$CNI_COMMAND" != ADD ] || { echo \'{"code": 100, "msg": "no fuel"}\'; exit 1; }\necho'
    script = _SPEAKS.replace("echo", failing)
    path, bins = conflist(tmp_path), plugins(tmp_path, script)
    done = nftconform("lab", "up", "--nodes", "1", "--dir", "lab", "--cni-conf", str(path), "--cni-bin", str(bins))
    refused(done, "The pod network mine does not work: CNI plugin bridge failed at ADD: no fuel [code 100].", "lab cni")
    assert not (tmp_path / "lab").exists()


def test_the_kits_own_networks_are_whole() -> None:
    known = {case.id for area in areas() for case in area.cases}
    found = profiles(folder())
    assert [one.name for one in found if one.compatible] == ["bridge-hairpin", "bridge-masq", "chain", "ptp", "vxlan"]
    assert len(found) == len(names(folder())) == 11
    plan = AddressPlan(3)
    for one in found:
        assert one.network.name == one.name and one.title.endswith(".")
        assert (not one.breaks and not one.cases) if one.compatible else (one.breaks and set(one.cases) <= known)
        filled = Cni(one.name, one.network, (), one.node, one.dns).on(plan, plan.nodes[0], Path("/x"))
        assert "${" not in repr(filled)


def test_a_place_survives_its_file(tmp_path: Path) -> None:
    plan = AddressPlan(2)
    for one in profiles(folder()):
        cni = Cni(one.name, one.network, ("/usr/lib/cni",), one.node, one.dns)
        assert Cni.decode(json.loads(json.dumps(asdict(cni)))) == cni
        place = Place.of(cni, plan, plan.nodes[1], tmp_path / "state")
        place.write(tmp_path / "place.json")
        assert Place.read(tmp_path / "place.json") == place


def test_the_trial_is_told_what_any_pod_is_of_its_node(tmp_path: Path) -> None:
    plan, one = AddressPlan(2), profiles(folder())[0]
    place = Place.of(Cni(one.name, one.network, (), one.node), plan, plan.nodes[1], tmp_path)
    assert trial(place)["ipRanges"] == [[{"subnet": "10.244.2.0/24"}], [{"subnet": plan.nodes[1].pod_cidrs[1]}]]
    assert trial(place)["portMappings"]
