"""The user's part of kube-proxy's configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from conformance.errors import UsageError
from conformance.lab.addresses import AddressPlan
from conformance.lab.real import proxy_config
from conformance.lab.real.choice import choose
from conformance.lab.real.components import feature_gates
from conformance.lab.real.proxy_config import merged
from conformance.lab.real.proxy_program import proxy_program
from conformance.model.cluster import ProxyMode
from tests.lab.real.programs import programs

Json = dict[str, Any]
HEAD = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
LEAVES = st.integers(0, 2)
DOCUMENTS = st.dictionaries(st.sampled_from("abc"), LEAVES | st.dictionaries(st.sampled_from("ab"), LEAVES))


def chosen(folder: Path, text: str = "", mode: ProxyMode | None = None) -> Json:
    """The configuration that kube-proxy gets with ``text`` in the user's file, and the option ``mode``."""
    file = folder / "config.yaml"
    file.write_text(HEAD + text)
    becomes, real = choose(programs(folder / "programs"), mode, file if text else None)
    found: Json = yaml.safe_load(proxy_program(AddressPlan(3), real, becomes).configuration)
    return found


def test_the_lab_s_own_leaves_the_kernel_s_limits_alone(tmp_path: Path) -> None:
    plain = chosen(tmp_path)
    assert plain["mode"] == "nftables"
    assert plain["conntrack"] == {
        "maxPerCore": 0,
        "min": 0,
        "tcpEstablishedTimeout": "0s",
        "tcpCloseWaitTimeout": "0s",
    }


def test_the_user_s_is_merged_over_it(tmp_path: Path) -> None:
    plain = chosen(tmp_path, "nftables: {masqueradeAll: true}\nnodePortAddresses: [primary]\n")
    assert plain["nftables"] == {"minSyncPeriod": "300ms", "syncPeriod": "30s", "masqueradeAll": True}
    assert plain["nodePortAddresses"] == ["primary"]
    assert plain["clientConnection"] == {"kubeconfig": "/var/lib/kube-proxy/kubeconfig.conf"}


@pytest.mark.parametrize(
    ("text", "mode", "becomes"),
    [
        ("mode: iptables\n", None, "iptables"),
        ("mode: iptables\n", ProxyMode.NFTABLES, "nftables"),
        ("mode: ipvs\n", ProxyMode.NFTABLES, "nftables"),
        ("mode: ''\n", None, "nftables"),
        ("", ProxyMode.IPTABLES, "iptables"),
    ],
)
def test_the_option_says_the_mode_over_the_file(
    tmp_path: Path, text: str, mode: ProxyMode | None, becomes: str
) -> None:
    assert chosen(tmp_path, text, mode)["mode"] == becomes


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mode: ipvs", "A lab cannot have kube-proxy in mode 'ipvs'."),
        ("healthzBindAddress: 0.0.0.0:1", "sets healthzBindAddress, which is the lab's"),
        ("clientConnection: {kubeconfig: x}", "sets clientConnection.kubeconfig"),
        ("kind: Service", "is no KubeProxyConfiguration"),
        ("mode: [nftables]", "A lab cannot have kube-proxy in mode ['nftables']."),
        ("a: [", "is not one YAML document"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=r"^[^\n]*$") as caught:
        chosen(tmp_path, text + "\n")
    assert says in str(caught.value)


@given(DOCUMENTS, DOCUMENTS)
def test_merging(base: Json, over: Json) -> None:
    found = merged(base, over)
    assert found.keys() == base.keys() | over.keys()
    for name, value in found.items():
        inner = isinstance(base.get(name), dict) and isinstance(over.get(name), dict)
        assert value == (merged(base[name], over[name]) if inner else over.get(name, base.get(name)))


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        proxy_config.read(tmp_path / "none")


@pytest.mark.parametrize(
    ("version", "told"),
    [("v1.29.4", False), ("v1.30.0", True), ("v1.35.2+k3s1", True), ("v1.36.0", False), ("v2.1.0", False)],
)
def test_only_a_server_that_would_translate_is_told_not_to(version: str, told: bool) -> None:
    assert bool(feature_gates(version)) == told
