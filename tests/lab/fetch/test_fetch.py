"""``nftconform lab fetch`` against a mirror on this machine: what comes is verified, all failures are sentences."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.lab.fetch.fetching import cache
from conformance.lab.fetch.release import ETCD_URL, KUBERNETES_URL, Arch, Release
from conformance.lab.launch.start import environment
from tests.here import here
from tests.lab.fetch.mirror import BINARIES, ETCD_VERSION, STEM, TARBALL, VERSION, Mirror, path_of, serving, tarball

APISERVER = path_of("kube-apiserver")
Fetch = Callable[..., tuple[int, str, str]]


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with serving() as mirror:
        yield mirror


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / f"{VERSION}-amd64"


@pytest.fixture
def fetch(mirror: Mirror, tmp_path: Path) -> Fetch:
    """The command; its exit code, standard output and error."""

    def run(*more: str, version: str = VERSION) -> tuple[int, str, str]:
        words = ["lab", "fetch", "--version", version, "--arch", "amd64", "--cache", str(tmp_path / "cache")]
        done = here(*words, *mirror.options, *more, cwd=tmp_path)
        return done.returncode, done.stdout, done.stderr

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in folder.iterdir() if not f.name.startswith(".") and f.name != "SHA256SUMS"}


def test_it_fetches_four_programs_and_prints_their_folder(fetch: Fetch, folder: Path) -> None:
    code, out, err = fetch()
    assert (code, out) == (0, f"{folder}\n")
    assert "kube-apiserver           sha512 verified" in err and "etcd                     sha256 verified" in err
    assert contents(folder) == BINARIES
    assert all(os.access(folder / name, os.X_OK) for name in BINARIES)
    assert [f.name for f in folder.iterdir() if f.name.endswith(".part")] == []
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=True)


def test_the_second_time_nothing_is_asked_for(fetch: Fetch, mirror: Mirror, folder: Path) -> None:
    fetch()
    mirror.asked.clear()
    code, out, err = fetch()
    assert (code, out, mirror.asked) == (0, f"{folder}\n", [])
    assert err.count("already there, verified") == 4


def test_what_was_altered_since_is_fetched_again(fetch: Fetch, mirror: Mirror, folder: Path) -> None:
    fetch()
    mirror.asked.clear()
    (folder / "kube-proxy").write_bytes(b"altered")
    (folder / "etcd").unlink()
    assert fetch()[0] == 0
    assert mirror.downloads == ["kube-proxy", f"{STEM}.tar.gz"]
    assert contents(folder) == BINARIES


def test_a_download_that_breaks_off_goes_on_where_it_ended(fetch: Fetch, mirror: Mirror, folder: Path) -> None:
    whole = len(BINARIES["kube-apiserver"])
    mirror.cut[APISERVER] = 90_000
    code, out, err = fetch()
    assert (code, out) == (3, "")
    assert f"kube-apiserver ended after 90,000 of {whole:,} bytes. Run the same command again" in err
    assert not (folder / "kube-apiserver").exists()
    mirror.asked.clear()
    assert fetch()[0] == 0
    assert (APISERVER, "bytes=90000-") in mirror.asked
    assert contents(folder) == BINARIES


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("left", [b"of another file", BINARIES["kube-apiserver"] + b"more", BINARIES["kube-apiserver"]])
def test_whatever_an_earlier_attempt_left_does_no_harm(
    fetch: Fetch, mirror: Mirror, folder: Path, left: bytes, ranges: bool
) -> None:
    mirror.ranges = ranges
    folder.mkdir(parents=True)
    (folder / ".kube-apiserver.part").write_bytes(left)
    assert fetch()[0] == 0
    assert contents(folder) == BINARIES


def test_a_wrong_checksum_throws_the_download_away(fetch: Fetch, mirror: Mirror, folder: Path) -> None:
    mirror.files[APISERVER] = b"something else"
    code, _, err = fetch()
    assert code == 3
    assert "kube-apiserver is not what its checksum says: sha512 " in err and "It was thrown away." in err
    assert contents(folder) == {}
    assert not list(folder.glob("*.part")) and not list(folder.glob(".*.part"))


def test_a_mirror_with_sha256_alone_will_do(fetch: Fetch, mirror: Mirror) -> None:
    del mirror.files[f"{APISERVER}.sha512"]
    digest = hashlib.sha256(BINARIES["kube-apiserver"]).hexdigest()
    mirror.files[f"{APISERVER}.sha256"] = f"{digest.upper()}  kube-apiserver\n".encode()
    code, _, err = fetch()
    assert code == 0 and "kube-apiserver           sha256 verified" in err


@pytest.mark.parametrize("path", [f"{APISERVER}.sha512", f"/etcd/{ETCD_VERSION}/SHA256SUMS"])
@pytest.mark.parametrize("said", [b"", b"<html>Please log in</html>", b"\xff\xfe", b"0" * 127, b"z" * 128])
def test_what_is_no_checksum_is_not_believed(fetch: Fetch, mirror: Mirror, path: str, said: bytes) -> None:
    mirror.files[path] = said
    code, _, err = fetch()
    assert code == 3 and f"{path} does not hold the sha" in err


def test_a_version_that_is_not_there(fetch: Fetch, mirror: Mirror) -> None:
    code, _, err = fetch(version="1.99.0")
    assert code == 3
    assert f"There is no {mirror.url}/kubernetes/v1.99.0/bin/linux/amd64/kube-apiserver.sha256 (404 Not Found)." in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("version", ["latest", "1.36", "../v1.36.2", "v1.36.2/..", "v1.36.2\n", "v1.३६.2"])
def test_what_is_no_version(fetch: Fetch, mirror: Mirror, version: str) -> None:
    code, _, err = fetch(version=version)
    assert code == 3 and "is no version of a release. For example: --version v1.36.2" in err
    assert mirror.asked == []


@pytest.mark.parametrize("url", ["file:///etc", "mirror.example.com", "http://", "ftp://mirror"])
def test_what_is_no_http_address(fetch: Fetch, url: str) -> None:
    code, _, err = fetch("--base-url", url)
    assert code == 3 and f"{url!r} is no HTTP address." in err


def member(name: str, kind: bytes = tarfile.REGTYPE, to: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, to
    return made


@pytest.mark.parametrize(
    "unsafe",
    [
        member("/etc/cron.d/x"),
        member("../../x"),
        member(f"{STEM}/../../x"),
        member(f"{STEM}/link", tarfile.SYMTYPE, "/etc"),
        member(f"{STEM}/link", tarfile.SYMTYPE, "../../etc"),
        member(f"{STEM}/link", tarfile.LNKTYPE, "../etc/passwd"),
        member(f"{STEM}/null", tarfile.CHRTYPE),
    ],
    ids=lambda m: f"{m.name} {m.linkname}",
)
def test_an_unsafe_tarball_is_not_used(fetch: Fetch, mirror: Mirror, folder: Path, unsafe: tarfile.TarInfo) -> None:
    mirror.put(TARBALL, tarball(unsafe))
    code, _, err = fetch()
    assert code == 3 and f"has the unsafe member {unsafe.name!r}" in err
    assert set(contents(folder)) == set(BINARIES) - {"etcd"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (tarball(etcd=f"{STEM}/etcdctl"), f"has no file {STEM}/etcd."),
        (tarball(member(f"{STEM}/etcd", tarfile.DIRTYPE), etcd="x"), f"has no file {STEM}/etcd."),
        (tarball()[:200], "is no whole tarball"),
        (b"no tarball at all", "is no whole tarball"),
    ],
)
def test_a_tarball_without_etcd(fetch: Fetch, mirror: Mirror, content: bytes, why: str) -> None:
    mirror.put(TARBALL, content)
    code, _, err = fetch()
    assert code == 3 and why in err


def test_nobody_listens(fetch: Fetch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    code, _, err = fetch("--base-url", url)
    assert code == 3 and "cannot be fetched: connection refused. Check the network" in err


def test_a_name_that_does_not_resolve(fetch: Fetch) -> None:
    code, _, err = fetch("--base-url", "http://no-such-host.invalid")
    assert code == 3 and "cannot be fetched:" in err and "--base-url" in err


@pytest.mark.parametrize("place", ["/proc/nowhere", "/dev/null/here"])
def test_a_folder_that_cannot_be_made(fetch: Fetch, place: str) -> None:
    code, _, err = fetch("--cache", place)
    assert code == 3 and "cannot be used:" in err and "--cache" in err


def test_the_command_by_itself_when_there_is_no_more_room(mirror: Mirror, tmp_path: Path) -> None:
    """A limit on the size of files fails a write as a full disk does. The mirror is named by the environment."""
    told = {"XDG_CACHE_HOME": str(tmp_path), "NFTCONFORM_KUBERNETES_URL": f"{mirror.url}/kubernetes"}
    command = [sys.executable, "-P", "-m", "conformance.cli", "lab", "fetch", "--version", VERSION, "--arch", "amd64"]
    done = subprocess.run(
        ["prlimit", "--fsize=50000", *command],
        env={**environment(), **told},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (3, "")
    part = tmp_path / "nftconform" / "binaries" / f"{VERSION}-amd64"
    assert done.stderr.startswith(f"nftconform: {part}") and "cannot be used: File too large." in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    for told in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", told)
        assert cache() == Path("/home/me/.cache/nftconform/binaries")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/tmp/c")
    assert cache() == Path("/var/tmp/c/nftconform/binaries")


def test_the_official_locations() -> None:
    release = Release.of("1.36.2", None, Arch.ARM64)
    assert release == Release(VERSION, ETCD_VERSION, Arch.ARM64)
    made = {a.program: a for a in release.artifacts(KUBERNETES_URL, ETCD_URL)}
    assert made["kube-proxy"].url == "https://dl.k8s.io/release/v1.36.2/bin/linux/arm64/kube-proxy"
    assert made["kube-proxy"].checksums[0].url.endswith("/kube-proxy.sha512")
    etcd = "https://github.com/etcd-io/etcd/releases/download/v3.6.8"
    assert made["etcd"].url == f"{etcd}/etcd-v3.6.8-linux-arm64.tar.gz"
    assert made["etcd"].checksums[0].url == f"{etcd}/SHA256SUMS"
    assert Release.of("v1.31.0", None, Arch.AMD64).etcd == "v3.5.24"


NUMBERS = st.tuples(*[st.integers(0, 99)] * 3).map(lambda n: ".".join(map(str, n)))


@given(NUMBERS, st.none() | NUMBERS, st.sampled_from(Arch), NUMBERS, st.none() | NUMBERS, st.sampled_from(Arch))
def test_other_contents_have_other_folders(
    one: str, one_etcd: str | None, one_arch: Arch, two: str, two_etcd: str | None, two_arch: Arch
) -> None:
    a, b = Release.of(one, one_etcd, one_arch), Release.of(f"v{two}", two_etcd, two_arch)
    assert (a.folder == b.folder) == (a == b)
