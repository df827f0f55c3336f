"""The permissions that `nftconform rbac` prints are those that a run uses: not one is missing, and not one too many."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from conformance.arrange.grants import ALWAYS
from conformance.arrange.rbac import rules
from conformance.cluster.api import Cluster
from conformance.cluster.connection import connect
from conformance.cluster.grants import Grant, needed
from conformance.lab.api.target import Target, parse
from conformance.lab.launch.start import Lab, environment
from fixtures.permissions import denied
from tests.run.conftest import Run
from tests.run.identities import kubeconfig
from tests.run.test_bad_input import refused
from tests.run.test_on_a_lab import cells

EVERYTHING = (
    "API-01",
    "API-02",
    "API-08",
    "CTK-07.ipv4-udp",
    "PRX-10.ipv4-tcp",
    "SLC-12.ipv4-tcp",
    "NOD-01",
    "NPO-40.ipv4-tcp",
    "RST-02.ipv4-tcp",
)
"""Cases that together ask for all that any case asks for."""
RENEWAL = "update leases.coordination.k8s.io in default"
"""Only in runs that last for more than twenty seconds."""
PERMITTED = ("--node-access", "kube-proxy", "--disruptive")
LOGGED = re.compile(r'"([A-Z]+) (\S+) HTTP')
COMMAND = """
import logging, sys
logging.basicConfig(filename=sys.argv.pop(1), level=logging.DEBUG)
from conformance.cli import main
main()
"""
PLURALS = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "ServiceAccount": "serviceaccounts",
    "Namespace": "namespaces",
}
Json = dict[str, Any]


def apply(cluster: Cluster, one: Json) -> None:
    version, namespace = one["apiVersion"], one["metadata"].get("namespace")
    prefix = f"/{'apis' if '/' in version else 'api'}/{version}" + (f"/namespaces/{namespace}" if namespace else "")
    cluster.create(f"{prefix}/{PLURALS[one['kind']]}", one)


@pytest.fixture(scope="module", name="printed")
def _printed() -> list[Json]:
    """What the command prints, as objects."""
    words = [sys.executable, "-P", "-m", "conformance.cli", "rbac", *PERMITTED]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment())
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="module", name="account")
def _account(lab: Lab, printed: list[Json], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A kubeconfig of the ServiceAccount that was printed, in a lab that has just what was printed."""
    cluster = connect(lab.kubeconfig)
    for one in printed:
        apply(cluster, one)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = cluster.create("/api/v1/namespaces/nftconform/serviceaccounts/nftconform/token", review)
    yield kubeconfig(tmp_path_factory.mktemp("account") / "config", lab, token=answer["status"]["token"])
    cluster.close()


def granted(printed: list[Json], *names: str) -> set[Grant]:
    """What the Roles and ClusterRoles of these names grant."""
    return {
        Grant(verb, f"{plural}{f'.{group}' if group else ''}", one["metadata"].get("namespace", ""), tuple(only))
        for one in printed
        if one["kind"].endswith("Role") and one["metadata"]["name"] in names
        for rule in one["rules"]
        for group in rule["apiGroups"]
        for plural in rule["resources"]
        for verb in rule["verbs"]
        for only in [rule.get("resourceNames", ())]
    }


def used(log: Path) -> set[Grant]:
    """What the requests in a log were permitted by; exec is no request that is logged."""
    found = {Grant("create", "pods/exec"), Grant("get", "pods/exec")}
    for method, url in LOGGED.findall(log.read_text()):
        target = parse(method, urlsplit(url).path, dict(parse_qsl(urlsplit(url).query)))
        if isinstance(target, Target) and target.resource.plural != "selfsubjectaccessreviews":
            verb, group, plural, subresource, namespace, name = target.attributes
            resource = f"{plural}{f'/{subresource}' if subresource else ''}{f'.{group}' if group else ''}"
            found.add(Grant(verb, resource, namespace, (name,) if name else ()))
    return found


def test_a_run_with_exactly_this_asks_everything_and_uses_all_of_it(
    account: str, printed: list[Json], tmp_path: Path
) -> None:
    chosen = [word for case in EVERYTHING for word in ("--case", case)]
    options = ("run", "--kubeconfig", account, *chosen, *PERMITTED, "--output", str(tmp_path))
    words = [sys.executable, "-P", "-c", COMMAND, str(tmp_path / "log"), *options]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment(), timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    ends = cells(tmp_path / "junit.xml")
    assert ends.pop("NPO-40.ipv4-tcp.kept") == "skipped"  # recorded, not judged
    assert set(ends.values()) == {"passed"}
    run, facts = granted(printed, "nftconform"), granted(printed, "nftconform-facts")
    asked = used(tmp_path / "log")
    assert [str(one) for one in asked if not any(grant.includes(one) for grant in run | facts)] == []
    unused = {str(grant) for grant in run if not any(grant.includes(one) for one in asked)}
    assert unused - {RENEWAL} == {"list events"}  # only where pods do not start


def test_who_lacks_something_is_told_what_and_how_to_get_it(
    lab: Lab, account: str, nftconform: Run, printed: list[Json]
) -> None:
    """One permission after the other is taken away; the first is missed by the command itself."""
    master, weak = connect(lab.kubeconfig), connect(Path(account))
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/nftconform"
    (role,) = (one for one in printed if one["kind"] == "ClusterRole" and one["metadata"]["name"] == "nftconform")
    have = {grant for grant in granted(printed, "nftconform") if not grant.namespace}
    for number, grant in enumerate(ALWAYS):
        master.patch(path, {"rules": rules(have - {grant})})
        assert denied(weak, ALWAYS) == [grant]
        if number == 0:
            refused(nftconform("run", "--kubeconfig", account, "--case", "CIP-01"), str(grant), "nftconform rbac")
    master.patch(path, {"rules": role["rules"]})
    assert denied(weak, ALWAYS) == []
    master.close()
    weak.close()


def test_rules_say_no_more_and_no_less_than_the_grants() -> None:
    grants = {
        Grant("get", "pods"),
        Grant("list", "pods"),
        Grant("get", "services"),
        Grant("list", "services"),
        Grant("get", "configmaps", "", ("one",)),
        Grant("list", "daemonsets.apps"),
    }
    assert rules(grants) == [
        {"apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": ["one"]},
        {"apiGroups": ["apps"], "resources": ["daemonsets"], "verbs": ["list"]},
    ]


def test_what_is_included_is_not_said_again() -> None:
    wide, narrow, named = Grant("list", "pods"), Grant("list", "pods", "a"), Grant("list", "pods", "a", ("x",))
    assert needed((narrow, wide, named, wide)) == (wide,)
    assert needed((named, narrow)) == (narrow,)
    assert needed((narrow,), beside=(wide,)) == ()
    assert needed((named, Grant("get", "pods"))) == (Grant("get", "pods"), named)
