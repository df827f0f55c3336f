"""Pods as processes: their life, their status, their end; against the real API server in real namespaces."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tests.lab.kubelet.sandbox import PODS, Cluster, Sandbox, condition, drive, until_no_links

Json = dict[str, Any]
SLEEP = {"command": ["sleep", "1000"]}


def starts(pod: Json) -> int:
    return int(pod["status"]["containerStatuses"][0]["restartCount"])


def state(pod: Json, index: int = 0) -> Json:
    statuses = pod["status"].get("containerStatuses") or [{"state": {}}]
    found: Json = statuses[index]["state"]
    return found


def test_a_pod_becomes_ready_with_addresses_of_both_families(sandbox: Sandbox) -> None:
    async def scenario(cluster: Cluster) -> None:
        await cluster.create("plain", SLEEP)
        pod = await cluster.ready("plain")
        status = pod["status"]
        assert status["phase"] == "Running"
        assert [entry["ip"][:7] for entry in status["podIPs"]] == ["10.244.", "fd44:1:"]
        assert status["podIP"] == status["podIPs"][0]["ip"]
        assert [entry["ip"] for entry in status["hostIPs"]] == ["172.30.99.11", "fd99::11"]
        assert {entry["type"]: entry["status"] for entry in status["conditions"]} == {
            "PodReadyToStartContainers": "True",
            "Initialized": "True",
            "Ready": "True",
            "ContainersReady": "True",
            "PodScheduled": "True",
        }
        own = status["containerStatuses"][0]
        assert (own["ready"], own["started"], own["restartCount"]) == (True, True, 0)
        assert own["imageID"] == "nftconform-lab://host"
        await cluster.delete("plain")
        await cluster.gone("plain")
        assert "default_plain" not in sandbox.run("ls", "/run/netns")
        await until_no_links(sandbox)

    drive(sandbox, scenario)


def test_the_node_says_what_it_is(sandbox: Sandbox) -> None:
    async def scenario(cluster: Cluster) -> None:
        node = await cluster.client.get("/api/v1/nodes/node-a")
        assert node["metadata"]["labels"]["topology.kubernetes.io/zone"] == "zone-a"
        assert node["spec"]["podCIDRs"] == ["10.244.1.0/24", "fd44:1::/64"]
        assert [(entry["type"], entry["address"]) for entry in node["status"]["addresses"]] == [
            ("InternalIP", "172.30.99.11"),
            ("InternalIP", "fd99::11"),
            ("Hostname", "node-a"),
        ]
        assert condition(node, "Ready") == "True"
        assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.36.2"
        # Else kube-apiserver 1.36 would speak SPDY to it.
        assert node["status"]["declaredFeatures"] == ["ExtendWebSocketsToKubelet"]
        lease = await cluster.client.get("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-a")
        assert lease["spec"]["holderIdentity"] == "node-a"

    drive(sandbox, scenario)


def test_restart_policies_decide_the_phase(sandbox: Sandbox) -> None:
    async def scenario(cluster: Cluster) -> None:
        await cluster.create("done", {"command": ["true"]}, restartPolicy="Never")
        await cluster.create("failed", {"command": ["sh", "-c", "exit 3"]}, restartPolicy="Never")
        await cluster.create("again", {"command": ["sh", "-c", "echo $$$$; exit 4"]}, restartPolicy="OnFailure")
        done = await cluster.until("done", lambda pod: pod["status"].get("phase") == "Succeeded")
        assert state(done)["terminated"]["reason"] == "Completed"
        assert condition(done, "Ready") == "False"
        failed = await cluster.until("failed", lambda pod: pod["status"].get("phase") == "Failed")
        assert state(failed)["terminated"]["exitCode"] == 3
        again = await cluster.until(
            "again",
            lambda pod: state(pod).get("waiting", {}).get("reason") == "CrashLoopBackOff" and starts(pod) >= 1,
        )
        assert again["status"]["phase"] == "Running"
        assert again["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 4
        while True:  # until both logs are read between the same two starts
            lives = starts(again)
            present, previous = await cluster.log("again"), await cluster.log("again", previous="true")
            again = await cluster.until("again", lambda pod: "waiting" in state(pod))
            if starts(again) == lives:
                break
        assert present.strip().isdigit()
        assert previous.strip().isdigit()
        assert present != previous
        for name in ("done", "failed", "again"):
            await cluster.delete(name)
            await cluster.gone(name)

    drive(sandbox, scenario)


def test_a_program_that_is_not_there_is_a_start_error(sandbox: Sandbox) -> None:
    async def scenario(cluster: Cluster) -> None:
        await cluster.create("missing", {"command": ["no-such-program"]}, restartPolicy="Never")
        pod = await cluster.until("missing", lambda pod: pod["status"].get("phase") == "Failed")
        ended = state(pod)["terminated"]
        assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
        assert "no-such-program" in ended["message"]
        await cluster.delete("missing", 0)
        await cluster.gone("missing")

    drive(sandbox, scenario)


def test_init_containers_run_in_order_before_the_others(sandbox: Sandbox) -> None:
    volume = {"volumes": [{"name": "shared", "emptyDir": {}}]}
    mount = {"image": "any", "volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}

    def step(name: str, text: str) -> Json:
        return {**mount, "name": name, "command": ["sh", "-c", text]}

    async def scenario(cluster: Cluster) -> None:
        await cluster.create(
            "ordered",
            None,
            initContainers=[
                step("one", "sleep 0.2; echo one >> /shared/log"),
                {**step("side", "echo side >> /shared/log; exec sleep 1000"), "restartPolicy": "Always"},
                step("two", "sleep 0.1; echo two >> /shared/log"),
            ],
            containers=[step("main", "cat /shared/log; exec sleep 1000")],
            **volume,
        )
        pod = await cluster.ready("ordered")
        assert condition(pod, "Initialized") == "True"
        assert (await cluster.log("ordered", container="main")).split() == ["one", "side", "two"]
        await cluster.delete("ordered")
        await cluster.gone("ordered")

    drive(sandbox, scenario)


def test_a_failing_init_container_fails_a_pod_that_never_restarts(sandbox: Sandbox) -> None:
    async def scenario(cluster: Cluster) -> None:
        await cluster.create(
            "unlucky",
            SLEEP,
            initContainers=[{"name": "init", "image": "any", "command": ["false"]}],
            restartPolicy="Never",
        )
        pod = await cluster.until("unlucky", lambda pod: pod["status"].get("phase") == "Failed")
        assert pod["status"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 1
        await cluster.delete("unlucky", 0)
        await cluster.gone("unlucky")

    drive(sandbox, scenario)


def test_deletion_runs_pre_stop_then_terminates_and_stays_ready_meanwhile(sandbox: Sandbox) -> None:
    script = "trap 'sleep 0.5; echo term; exit 0' TERM; echo up; while :; do sleep 0.05; done"

    async def scenario(cluster: Cluster) -> None:
        hook = {"exec": {"command": ["sleep", "0.6"]}}
        await cluster.create("polite", {"command": ["sh", "-c", script], "lifecycle": {"preStop": hook}})
        await cluster.ready("polite")
        began = time.monotonic()
        await cluster.delete("polite")
        await asyncio.sleep(0.3)
        pod = await cluster.client.get(f"{PODS}/polite")
        assert pod["metadata"]["deletionTimestamp"]
        assert condition(pod, "Ready") == "True"
        await cluster.gone("polite")
        assert 1.0 < time.monotonic() - began < 4

    drive(sandbox, scenario)


def test_a_pod_that_ignores_sigterm_is_killed_after_its_grace_period(sandbox: Sandbox) -> None:
    async def scenario(cluster: Cluster) -> None:
        command = ["sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"]
        await cluster.create("stubborn", {"command": command}, terminationGracePeriodSeconds=2)
        await cluster.ready("stubborn")
        began = time.monotonic()
        await cluster.delete("stubborn")
        await cluster.gone("stubborn")
        assert 1.8 < time.monotonic() - began < 4

    drive(sandbox, scenario)


def test_force_deletion_leaves_no_process(sandbox: Sandbox) -> None:
    async def scenario(cluster: Cluster) -> None:
        await cluster.create("forced", {"command": ["sh", "-c", "setsid sleep 4242 & trap '' TERM; sleep 4243"]})
        await cluster.ready("forced")
        assert "sleep 4242" in sandbox.run("ps", "ax")
        await cluster.delete("forced", 0)
        await cluster.gone("forced", 0.5)
        deadline = time.monotonic() + 5
        while "sleep 424" in sandbox.run("ps", "ax"):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

    drive(sandbox, scenario)


def test_probes_and_readiness_gates_decide_readiness(sandbox: Sandbox) -> None:
    probe = {"exec": {"command": ["test", "-e", "/tmp/ready"]}, "periodSeconds": 1, "failureThreshold": 1}

    async def scenario(cluster: Cluster) -> None:
        command = ["sh", "-c", "sleep 0.5; touch /tmp/ready; sleep 1.5; rm /tmp/ready; sleep 1000"]
        await cluster.create("moody", {"command": command, "readinessProbe": probe})
        gate = {"readinessGates": [{"conditionType": "example.com/go"}]}
        await cluster.create("gated", SLEEP, **gate)
        await cluster.ready("moody")
        await cluster.until("moody", lambda pod: condition(pod, "Ready") == "False")
        gated = await cluster.until("gated", lambda pod: condition(pod, "ContainersReady") == "True")
        assert condition(gated, "Ready") == "False"
        body = {"status": {"conditions": [{"type": "example.com/go", "status": "True"}]}}
        await cluster.client.patch(f"{PODS}/gated/status", body, type="strategic")
        pod = await cluster.ready("gated")
        ready = next(entry for entry in pod["status"]["conditions"] if entry["type"] == "Ready")
        assert not ready.get("reason")
        assert condition(pod, "example.com/go") == "True"
        for name in ("moody", "gated"):
            await cluster.delete(name, 0)

    drive(sandbox, scenario)


def test_liveness_restarts_and_startup_delays_it(sandbox: Sandbox) -> None:
    server = (
        "import http.server as h,time; time.sleep(1.2);"
        "h.HTTPServer(('', 8080), h.SimpleHTTPRequestHandler).serve_forever()"
    )
    get = {"httpGet": {"path": "/", "port": "web"}, "periodSeconds": 1, "failureThreshold": 10}

    async def scenario(cluster: Cluster) -> None:
        await cluster.create(
            "slow",
            {
                "command": ["python3", "-c", server],
                "workingDir": "/tmp",
                "ports": [{"name": "web", "containerPort": 8080}],
                "startupProbe": get,
                "livenessProbe": {**get, "failureThreshold": 1},
            },
        )
        tcp = {"tcpSocket": {"port": 9}, "periodSeconds": 1, "failureThreshold": 1}
        await cluster.create("dead", {**SLEEP, "livenessProbe": tcp})
        slow = await cluster.ready("slow")
        assert slow["status"]["containerStatuses"][0]["restartCount"] == 0
        dead = await cluster.until("dead", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] > 0)
        assert dead["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 143
        for name in ("slow", "dead"):
            await cluster.delete(name, 0)

    drive(sandbox, scenario)


def test_many_pods_come_and_go_together(sandbox: Sandbox) -> None:
    async def scenario(cluster: Cluster) -> None:
        names = [f"many-{number}" for number in range(15)]
        await asyncio.gather(*(cluster.create(name, SLEEP) for name in names))
        addresses = {(await cluster.ready(name))["status"]["podIP"] for name in names}
        assert len(addresses) == len(names)
        # Each with an update at the moment of its end, which once made a volume's upkeep miss its cancellation.
        await asyncio.gather(*(cluster.delete(name) for name in names))
        for name in names:
            await cluster.gone(name)

    drive(sandbox, scenario)
