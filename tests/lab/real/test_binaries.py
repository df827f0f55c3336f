"""The user's programs: found where they are downloaded to, and refused in one sentence before anything starts."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.errors import EnvironmentFault, KitError, UsageError
from conformance.lab.real import elf
from conformance.lab.real.binaries import find
from tests.lab.real.programs import ALL, header, program, programs

HERE = elf.architecture(platform.machine())
ENVTEST = ("etcd", "kube-apiserver", "kubectl")


def refused(folder: Path, kind: type[KitError] = UsageError) -> str:
    with pytest.raises(kind) as caught:
        find(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("place", [".", "bin", "kubernetes/server/bin", f"k8s/1.36.2-linux-{HERE}"])
def test_each_layout_is_understood(tmp_path: Path, place: str) -> None:
    folder = programs(tmp_path / place).resolve()
    found = find(tmp_path)
    assert (found.etcd, found.proxy) == (str(folder / "etcd"), str(folder / "kube-proxy"))
    assert (found.version, found.proxy_version, found.scheduler) == ("v1.36.2", "v1.36.2", "")


def test_each_program_says_its_own_version(tmp_path: Path) -> None:
    programs(tmp_path)
    program(tmp_path, "kube-proxy", "Kubernetes v1.35.9+k3s1")
    program(tmp_path, "kube-scheduler")
    found = find(tmp_path)
    assert (found.version, found.proxy_version) == ("v1.36.2", "v1.35.9+k3s1")
    assert found.scheduler.endswith("kube-scheduler")


def test_links_are_followed_to_where_a_pod_finds_the_file(tmp_path: Path) -> None:
    programs(tmp_path / "real")
    (tmp_path / "links").mkdir()
    for name in ALL:
        (tmp_path / "links" / name).symlink_to(tmp_path / "real" / name)
    assert find(tmp_path / "links").proxy == str((tmp_path / "real/kube-proxy").resolve())


def test_envtest_lacks_two(tmp_path: Path) -> None:
    programs(tmp_path / "k8s" / f"1.36.0-linux-{HERE}", ENVTEST)
    said = refused(tmp_path)
    assert "lacks kube-controller-manager, kube-proxy." in said
    assert "'nftconform lab fetch'" in said


def test_what_envtest_lacks_may_lie_beside_it(tmp_path: Path) -> None:
    programs(tmp_path / "k8s" / f"1.36.0-linux-{HERE}", ENVTEST)
    programs(tmp_path, ("kube-controller-manager", "kube-proxy"))
    assert "1.36.0" in find(tmp_path).api_server


def test_of_two_versions_one_must_be_named(tmp_path: Path) -> None:
    for version in ("1.35.0", "1.36.0"):
        programs(tmp_path / "k8s" / f"{version}-linux-{HERE}")
    assert f"1.35.0-linux-{HERE}, 1.36.0-linux-{HERE}" in refused(tmp_path)
    assert "1.35.0" in find(tmp_path / "k8s" / f"1.35.0-linux-{HERE}").etcd


def test_assets_for_another_machine_are_none(tmp_path: Path) -> None:
    programs(tmp_path / "k8s" / "1.36.0-linux-sparc64")
    assert f"lacks {', '.join(ALL)}." in refused(tmp_path)


def test_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "No such file or directory" in refused(tmp_path / "none")
    assert "Not a directory" in refused(tmp_path / "file")


def test_not_executable(tmp_path: Path) -> None:
    programs(tmp_path)
    (tmp_path / "kube-proxy").chmod(0o644)
    assert f"Run 'chmod +x {tmp_path.resolve()}/kube-proxy'." in refused(tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (header(183 if HERE != "arm64" else 62), f"and this machine is {HERE}"),
        (b"MZ\x90\x00" + bytes(60), "is a program for Windows"),
        (b"\xcf\xfa\xed\xfe" + bytes(60), "is a program for macOS"),
        (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code>", "is no program"),
        (b"\x7fELF", "is cut short"),
        (b"", "is empty"),
    ],
)
def test_no_program_for_this_machine(tmp_path: Path, content: bytes, says: str) -> None:
    programs(tmp_path)
    (tmp_path / "kube-apiserver").write_bytes(content)
    said = refused(tmp_path)
    assert says in said
    assert f"Download kube-apiserver for linux/{HERE} again." in said


def test_a_program_that_does_not_run(tmp_path: Path) -> None:
    programs(tmp_path)
    (tmp_path / "etcd").write_text("#!/no/such/shell\n")
    assert f"{tmp_path.resolve()}/etcd cannot be run: No such file or directory." in refused(tmp_path, EnvironmentFault)


def test_a_program_that_fails(tmp_path: Path) -> None:
    program(programs(tmp_path), "etcd", code=3)
    assert "ends with 3: it is broken." in refused(tmp_path, EnvironmentFault)


def test_a_program_that_says_no_version(tmp_path: Path) -> None:
    program(programs(tmp_path), "kube-proxy", "hello")
    assert "kube-proxy says no version: 'hello'." in refused(tmp_path, EnvironmentFault)


def test_the_interpreter_is_a_program_for_this_machine() -> None:
    assert elf.obstacle(Path(sys.executable).read_bytes()[: elf.HEADER_BYTES], HERE) == ""


@pytest.mark.parametrize(
    ("first", "name"),
    [(header(21), "ppc64le"), (header(21, ">"), "ppc64"), (header(22, ">"), "s390x"), (header(999), "ELF machine 999")],
)
def test_machines_have_names(first: bytes, name: str) -> None:
    assert elf.obstacle(first, "amd64") == f"is a program for {name}, and this machine is amd64"


@given(st.binary(max_size=64))
def test_any_file_gets_an_answer(content: bytes) -> None:
    assert elf.obstacle(content, "amd64") or content.startswith((b"#!", b"\x7fELF"))
