"""What is applied to a cluster is what its API knows, and asks for no more than the kit needs."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from fnmatch import fnmatch
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from conformance import __version__
from conformance.arrange.manifests import RESTRICTED
from conformance.cli import cli
from tests.deploy.manifests import JOB, JSON, ROOT, documents, job, plugin, wrong

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
DIGEST = re.compile(r"\S+:\S+@sha256:[0-9a-f]{64}")
UID = 65532


def pod() -> JSON:
    spec: JSON = job()["spec"]["template"]["spec"]
    return spec


def kustomization() -> JSON:
    (made,) = documents(JOB / "kustomization.yaml")
    return made


@pytest.mark.parametrize("made", [*documents(JOB / "rbac.yaml"), job()], ids=lambda m: f"{m['kind']}")
def test_the_api_has_every_field(made: JSON) -> None:
    assert list(wrong(made, f"V1{made['kind']}", made["kind"])) == []


def test_a_field_that_the_api_does_not_have_is_noticed() -> None:
    spec: Any = job()
    spec["spec"]["template"]["spec"]["containers"][0]["volumeMount"] = []
    spec["spec"]["backoffLimit"] = "0"
    assert sorted(wrong(spec, "V1Job", "Job")) == [
        "Job.spec.backoffLimit is no int",
        "Job.spec.template.spec.containers.0 (V1Container) has no volumeMount",
    ]


def test_the_plugin_is_a_container_as_sonobuoy_runs_it() -> None:
    made = plugin()
    assert set(made) == {"sonobuoy-config", "spec"}
    assert list(wrong(made["spec"], "V1Container", "spec")) == []
    assert made["sonobuoy-config"]["driver"] == "Job"
    assert made["sonobuoy-config"]["plugin-name"] == "nftconform"
    assert made["sonobuoy-config"]["result-format"] == "junit"
    assert made["spec"]["volumeMounts"] == [{"name": "results", "mountPath": "/tmp/sonobuoy/results"}]


def test_the_job_passes_restricted_pod_security() -> None:
    spec = pod()
    for container in spec["containers"]:
        security = spec["securityContext"] | container["securityContext"]
        assert {key: security[key] for key in RESTRICTED} == RESTRICTED | {"runAsUser": UID}
    assert all(set(volume) == {"name", "emptyDir"} for volume in spec["volumes"])


def test_an_interrupted_job_has_time_to_clean_up_and_is_never_tried_again() -> None:
    assert job()["spec"]["backoffLimit"] == 0
    assert pod()["restartPolicy"] == "Never"
    assert pod()["terminationGracePeriodSeconds"] >= 180


def test_the_account_is_bound_and_nobody_else() -> None:
    made = documents(JOB / "rbac.yaml")
    account = {
        "kind": "ServiceAccount",
        "name": pod()["serviceAccountName"],
        "namespace": job()["metadata"]["namespace"],
    }
    bindings = [m for m in made if m["kind"].endswith("Binding")]
    assert [b["subjects"] for b in bindings] == [[account]] * len(bindings) and bindings
    roles = {(m["kind"], m["metadata"]["name"]) for m in made if m["kind"].endswith("Role")}
    assert {(b["roleRef"]["kind"], b["roleRef"]["name"]) for b in bindings} == roles


def test_the_permissions_are_those_that_the_command_prints() -> None:
    said = CliRunner().invoke(cli, ["rbac"]).output
    assert documents(JOB / "rbac.yaml") == list(yaml.safe_load_all(said)), (
        "nftconform rbac > fixtures/manifests/job/rbac.yaml"
    )


def test_the_permissions_are_least() -> None:
    """No wildcard, no Secret, nothing by which more could be had, and outside its own nothing is written."""
    rules = [rule for m in documents(JOB / "rbac.yaml") if m["kind"].endswith("Role") for rule in m["rules"]]
    for rule in rules:
        words = {word for key in ("apiGroups", "resources", "verbs") for word in rule[key]}
        assert not words & {"*", "secrets", "escalate", "bind", "impersonate", "serviceaccounts/token"}, rule
        assert not any("rbac" in group for group in rule["apiGroups"])
    written = {r for rule in rules if set(rule["verbs"]) - {"get", "list", "watch"} for r in rule["resources"]}
    assert written == {
        *("configmaps", "endpoints", "endpointslices", "namespaces", "networkpolicies", "pods", "pods/exec"),
        *("services", "services/status"),
    }


def test_the_kustomization_names_what_is_there_and_the_image_of_this_version() -> None:
    made = kustomization()
    assert (made["apiVersion"], made["kind"]) == ("kustomize.config.k8s.io/v1beta1", "Kustomization")
    assert sorted(made["resources"]) == sorted(f.name for f in JOB.iterdir() if f.name != "kustomization.yaml")
    (image,) = made["images"]
    assert {c["image"] for c in pod()["containers"]} == {image["name"]}
    assert image["newTag"] == __version__
    assert plugin()["spec"]["image"] == f"{image['newName']}:{image['newTag']}"


def test_kubectl_builds_it() -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    done = subprocess.run(["kubectl", "kustomize", str(JOB)], capture_output=True, text=True, check=True, timeout=60)
    built = list(yaml.safe_load_all(done.stdout))
    key = lambda m: (m["kind"], m["metadata"]["name"])  # noqa: E731
    assert sorted(map(key, built)) == sorted(map(key, [*documents(JOB / "rbac.yaml"), job()]))
    (made,) = (m for m in built if m["kind"] == "Job")
    assert {c["image"] for c in made["spec"]["template"]["spec"]["containers"]} == {f"nftconform:{__version__}"}


def test_the_image_has_a_pinned_base_and_an_ordinary_user() -> None:
    said = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if line and line[0].isupper()]
    (base,) = (rest for word, rest in said if word == "ARG" and rest.startswith("BASE="))
    assert DIGEST.fullmatch(base.removeprefix("BASE="))
    assert [rest.split()[0] for word, rest in said if word == "FROM"] == ["${BASE}", "${BASE}"]
    assert [rest for word, rest in said if word == "USER"] == [f"{UID}:{UID}"]
    assert [rest for word, rest in said if word == "ENTRYPOINT"] == ['["nftconform"]']


def test_the_image_is_built_from_all_that_the_wheel_is_made_of_and_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    wanted = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}
    wanted |= {*wheel["packages"], *wheel["force-include"]}
    copied = [
        line.split()[1:-1] for line in DOCKERFILE.splitlines() if line.startswith("COPY") and "--from" not in line
    ]
    assert {name.rstrip("/") for names in copied for name in names} == wanted
    assert all((ROOT / name).exists() for name in wanted)
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert ignored[0] == "*"
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert all(any(fnmatch(name, pattern) for pattern in let_in) for name in wanted)
