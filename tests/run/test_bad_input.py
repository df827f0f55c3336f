"""Bad input gets one clear sentence and exit code 3, never a traceback, and leaves nothing behind."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest
import yaml

from conformance.lab.launch.start import Lab
from tests.run.conftest import Run
from tests.run.identities import kubeconfig, permitted
from tests.run.test_on_a_lab import namespaces


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 3, done.stdout + done.stderr
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    lines = [line for line in done.stderr.splitlines() if line.startswith("nftconform: ")]
    assert len(lines) == 1, said
    for word in words:
        assert word in lines[0]


def test_unreachable_api(nftconform: Run, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "c",
                "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
                "users": [{"name": "u", "user": {"token": "top-secret"}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            }
        )
    )
    done = nftconform("run", "--kubeconfig", str(path))
    refused(done, "127.0.0.1:1")
    assert "top-secret" not in done.stdout + done.stderr


def test_a_context_that_is_not_there(lab: Lab, nftconform: Run) -> None:
    refused(nftconform("run", "--kubeconfig", str(lab.kubeconfig), "--context", "prod"), "'prod'", "lab")


def test_expired_credentials(lab: Lab, nftconform: Run, tmp_path: Path) -> None:
    payload = base64.urlsafe_b64encode(json.dumps({"exp": 1, "sub": "system:serviceaccount:a:b"}).encode()).decode()
    token = f"eyJhbGciOiJSUzI1NiJ9.{payload.rstrip('=')}.c2lnbmF0dXJl"
    done = nftconform("run", "--kubeconfig", kubeconfig(tmp_path / "config", lab, token=token))
    refused(done, "credentials")
    assert token not in done.stdout + done.stderr


def test_an_unknown_case(lab: Lab, nftconform: Run) -> None:
    refused(nftconform("run", "--kubeconfig", str(lab.kubeconfig), "--case", "ETP-99"), "ETP-99", "nftconform plan")


def test_an_output_folder_that_cannot_be_written(lab: Lab, nftconform: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = nftconform("run", "--kubeconfig", str(lab.kubeconfig), "--output", str(tmp_path / "file" / "out"))
    refused(done, "cannot be written", "--output")


@pytest.fixture
def weak(lab: Lab, tmp_path: Path) -> str:
    """A kubeconfig of a service account that may do all that the kit needs, except exec."""
    rules = [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
        {
            "apiGroups": ["", "authorization.k8s.io"],
            "resources": ["namespaces", "pods", "services", "configmaps", "selfsubjectaccessreviews"],
            "verbs": ["create", "delete"],
        },
    ]
    return permitted(tmp_path / "config", lab, "weak", rules)


def test_rbac_that_forbids_exec(lab: Lab, nftconform: Run, weak: str) -> None:
    before = namespaces(lab)
    refused(nftconform("run", "--kubeconfig", weak, "--case", "CIP-01"), "create pods/exec", "nftconform rbac")
    assert namespaces(lab) == before


def test_an_unknown_command_and_an_unknown_option(nftconform: Run) -> None:
    for arguments in (("dance",), ("run", "--dance")):
        done = nftconform(*arguments)
        assert done.returncode == 3
        assert "No such" in done.stderr
        assert "Traceback" not in done.stderr


def test_an_expression_that_pytest_does_not_understand_brings_no_lab_up(nftconform: Run) -> None:
    done = nftconform("run", "--lab", "-k", "ipv4 and")
    refused(done, "'ipv4 and'")
    assert "network and control plane" not in done.stderr


def test_a_run_that_comes_to_nothing_leaves_no_older_report(nftconform: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in ("junit.xml", "report.html", "results.jsonl"):
        (out / name).write_text("of an older run")
    done = nftconform("run", "--kubeconfig", str(tmp_path / "none"), "--output", str(out))
    refused(done, "cannot be read")
    assert not list(out.iterdir())


def test_nothing_that_matches(lab: Lab, nftconform: Run) -> None:
    refused(nftconform("run", "--kubeconfig", str(lab.kubeconfig), "-k", "nosuchcell"), "No cell matches")
