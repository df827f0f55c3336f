"""The examples for CI: what they run is pinned, and what they name is there."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.deploy.manifests import JSON, ROOT, documents
from tests.docs.test_commands import understood

CI = ROOT / "docs" / "ci"
PINNED = re.compile(r"\S+@(sha256:[0-9a-f]{64}|[0-9a-f]{40})")


def only(name: str) -> JSON:
    (made,) = documents(CI / name)
    return made


def actions() -> list[JSON]:
    steps: list[JSON] = only("github-actions.yaml")["jobs"]["service-networking"]["steps"]
    return steps


def test_kind_runs_three_dual_stack_nodes_in_nftables_mode() -> None:
    made = only("kind.yaml")
    assert (made["kind"], made["apiVersion"]) == ("Cluster", "kind.x-k8s.io/v1alpha4")
    assert made["networking"] == {"ipFamily": "dual", "kubeProxyMode": "nftables"}
    assert [node["role"] for node in made["nodes"]] == ["control-plane", "worker", "worker"]
    (image,) = {node["image"] for node in made["nodes"]}
    assert image.startswith("kindest/node:v1.36") and PINNED.fullmatch(image)
    assert len({node["labels"]["topology.kubernetes.io/zone"] for node in made["nodes"]}) == 2


@pytest.mark.parametrize("name", [step["uses"] for step in actions() if "uses" in step])
def test_actions_are_pinned_and_say_their_version(name: str) -> None:
    assert PINNED.fullmatch(name)
    assert re.search(rf"{name} # v\d+\.\d+\.\d+\n", (CI / "github-actions.yaml").read_text("utf-8"))


def test_the_workflow_needs_no_permissions_and_keeps_the_reports_whatever_happens() -> None:
    made: Any = only("github-actions.yaml")
    assert made["permissions"] == {"contents": "read"}
    used = {step["uses"].partition("@")[0]: step for step in actions() if "uses" in step}
    assert used["helm/kind-action"]["with"]["config"] == "docs/ci/kind.yaml"
    assert used["helm/kind-action"]["with"]["cluster_name"] == only("kind.yaml")["name"]
    (run,) = (step["run"] for step in actions() if "nftconform run" in step.get("run", ""))
    upload = used["actions/upload-artifact"]
    assert upload["if"] == "always()" and f"--output {upload['with']['path']} " in run


def test_gitlab_pins_its_images_and_keeps_junit() -> None:
    made = only("gitlab-ci.yaml")["service-networking"]
    assert all(PINNED.fullmatch(image) for image in (made["image"], made["services"][0]["name"]))
    assert made["artifacts"]["when"] == "always"
    assert made["artifacts"]["reports"]["junit"] == "reports/junit.xml"
    script = "\n".join(made["script"])
    (run,) = re.findall(r"kind (nftconform run .*)", script)
    understood(run)
    assert f"--name {only('kind.yaml')['name']} " in script and "docker cp kit:/tmp/reports reports" in script
