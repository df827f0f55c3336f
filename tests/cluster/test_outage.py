"""An API server that goes away: for a moment, behind a load balancer, with an answer on its way, and for good."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from conformance.cluster.api import Cluster
from conformance.cluster.connection import connect
from conformance.cluster.failures import ApiRefused
from conformance.cluster.outage import Outage
from conformance.cluster.paths import kind
from conformance.errors import ClusterError
from tests.cluster.cable import Cable

LONG = 60.0
TROUBLE = ClusterError("It is away.", "Wait.")
MAPS = kind("ConfigMap").path("default")


@pytest.fixture
def cable(api: Path) -> Iterator[Cable]:
    with Cable(api) as cable:
        yield cable


@pytest.fixture
def cluster(cable: Cable, tmp_path: Path) -> Iterator[Cluster]:
    cluster = connect(cable.kubeconfig(tmp_path / "config"), patience=LONG)
    yield cluster
    cluster.close()


def config_map(name: str) -> dict[str, object]:
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name, "namespace": "default"}}


def test_a_server_that_restarts_is_waited_for_and_one_whose_connections_break_is_asked_again(
    cluster: Cluster, cable: Cable
) -> None:
    cable.close()
    back = threading.Timer(0.6, cable.mend)
    back.start()
    assert cluster.version().startswith("v1.")
    back.join()
    cable.cut()
    assert cluster.version().startswith("v1.")


def test_what_was_created_while_the_answer_was_lost_is_not_taken_for_a_conflict(
    cluster: Cluster, cable: Cable, api: Path
) -> None:
    direct = connect(api)
    cable.mute()
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(cluster.create, MAPS, config_map("taken"))
        while (stored := direct.find(f"{MAPS}/taken")) is None:
            assert not asked.done()
        cable.cut()
        cable.mend()
        assert asked.result(30)["metadata"]["uid"] == stored["metadata"]["uid"]
    with pytest.raises(ApiRefused, match="409 AlreadyExists"):
        cluster.create(MAPS, config_map("taken"))
    direct.close()


def test_a_server_that_stays_away_is_given_up_and_then_nobody_waits_again(cable: Cable, tmp_path: Path) -> None:
    cluster = connect(cable.kubeconfig(tmp_path / "config"), patience=0.5)
    cable.close()
    with pytest.raises(ClusterError, match="connection refused"):
        cluster.version()
    cable.mend()
    with pytest.raises(ClusterError, match="connection refused"):
        cluster.version()  # without asking: who has given up a moment ago is not asked by hundreds in turn
    cluster.close()


def test_first_contact_is_not_waited_for(cable: Cable, tmp_path: Path) -> None:
    kubeconfig = cable.kubeconfig(tmp_path / "config")
    cable.close()
    begun = time.monotonic()
    with pytest.raises(ClusterError, match="connection refused"):
        connect(kubeconfig, patience=LONG)
    assert time.monotonic() - begun < LONG / 2


def test_an_outage_is_counted_from_its_first_request_and_ends_with_any_answer() -> None:
    outage, now = Outage(LONG), time.monotonic()
    assert outage.wait(now, now, 0, TROUBLE)
    assert not outage.wait(now - LONG, now, 0, TROUBLE)
    with pytest.raises(ClusterError, match="It is away"):
        outage.check()
    outage.over()
    outage.check()
    assert not Outage(0.0).wait(now, now, 0, TROUBLE)


def test_who_waits_is_woken_by_an_answer_and_by_an_interrupt() -> None:
    outage, now = Outage(LONG), time.monotonic()
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(outage.wait, now, now, 8, TROUBLE) for _ in range(3)]
        while not all(one.done() for one in waiting):
            outage.over()
        assert [one.result() for one in waiting] == [True] * 3
        with pytest.raises(KeyboardInterrupt), outage.hurried():
            raise KeyboardInterrupt
    assert not outage.wait(now - 10, now, 0, TROUBLE)


class Door(ThreadingHTTPServer):
    """Stands for an API server: tells its version to who has the ``token``, after ``refusals`` have been given out."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.token = "first"
        self.refusals: list[int] = []
        self.asked = 0


class _Answer(BaseHTTPRequestHandler):
    server: Door

    def do_GET(self) -> None:
        assert self.path == "/version"
        self.server.asked += 1
        known = self.headers["authorization"] == f"Bearer {self.server.token}"
        status = self.server.refusals.pop(0) if self.server.refusals else 200 if known else 401
        body = json.dumps({"gitVersion": "v1.36.2"} if status == 200 else {"reason": "No", "message": "no"}).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def door() -> Iterator[Door]:
    with Door() as door:
        thread = threading.Thread(target=door.serve_forever, args=(0.05,))
        thread.start()
        yield door
        door.shutdown()
        thread.join()


def with_token(path: Path, door: Door, token: str) -> Path:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{door.server_address[1]}"}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_token_that_expires_is_read_anew_from_the_kubeconfig(door: Door, tmp_path: Path) -> None:
    cluster = connect(with_token(tmp_path / "config", door, "first"), patience=LONG)
    door.token = "second"
    with_token(tmp_path / "config", door, "second")
    assert cluster.version() == "v1.36.2"
    door.token, door.asked = "third", 0
    with pytest.raises(ApiRefused, match="does not accept the credentials") as refusal:
        cluster.version()
    assert refusal.value.denied
    assert door.asked == 1  # nothing else to try with, and time does not mend it
    cluster.close()


def test_a_load_balancer_without_its_server_is_waited_for_and_a_server_that_starts_is_believed_later(
    door: Door, tmp_path: Path
) -> None:
    cluster = connect(with_token(tmp_path / "config", door, "first"), patience=LONG)
    door.refusals = [502, 503, 403, 500]
    assert cluster.version() == "v1.36.2"
    door.refusals = [403]
    with pytest.raises(ApiRefused, match="forbids"):
        cluster.version()
    cluster.close()
