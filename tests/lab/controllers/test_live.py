"""Endpoints, load balancers and node lifecycle against a real API server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import Any

import aiohttp
import dns.asyncquery
import dns.message
import dns.rcode

from conformance.lab.client import ApiClient, Informer
from conformance.lab.timestamps import now
from tests.lab.controllers.world import NODES, World, beat, register, watching

Json = dict[str, Any]

SLICES = "/apis/discovery.k8s.io/v1/endpointslices"


async def namespace(client: ApiClient, name: str) -> str:
    await client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return f"/api/v1/namespaces/{name}"


async def pod(client: ApiClient, home: str, name: str, ip: str) -> str:
    spec = {"nodeName": NODES[0], "containers": [{"name": "c", "image": "x"}]}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "a"}}, "spec": spec}
    await client.create(f"{home}/pods", body)
    path = f"{home}/pods/{name}"
    await set_ready(client, path, ready=True, phase="Running", podIP=ip, podIPs=[{"ip": ip}])
    return path


async def set_ready(client: ApiClient, path: str, *, ready: bool, **status: object) -> None:
    state = {"type": "Ready", "status": str(ready), "lastTransitionTime": now()}
    await client.patch(f"{path}/status", {"status": {"conditions": [state], **status}}, "strategic")


async def service(client: ApiClient, home: str, name: str, **spec: object) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": [{"port": 80}], **spec},
    }
    await client.create(f"{home}/services", body)


def states(items: dict[str, Json], name: str) -> dict[str, tuple[bool, bool, bool]]:
    """By address: ready, serving, terminating."""
    found = {}
    for piece in items.values():
        if piece["metadata"]["labels"].get("kubernetes.io/service-name") == name:
            for endpoint in piece.get("endpoints") or ():
                c = endpoint["conditions"]
                found[endpoint["addresses"][0]] = (c["ready"], c["serving"], c["terminating"])
    return found


async def reaches(slices: Informer, name: str, wanted: dict[str, tuple[bool, bool, bool]]) -> None:
    await slices.until(lambda items: states(items, name) == wanted)


def test_slices_follow_a_pod_through_its_life(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client, watching(client, SLICES) as slices:
            await register(client)
            home = await namespace(client, "life")
            await service(client, home, "s", selector={"app": "a"})
            await slices.until(lambda items: any(p["metadata"]["namespace"] == "life" for p in items.values()))
            path = await pod(client, home, "p", "10.244.9.1")
            await reaches(slices, "s", {"10.244.9.1": (True, True, False)})
            await set_ready(client, path, ready=False)
            await reaches(slices, "s", {"10.244.9.1": (False, False, False)})
            await set_ready(client, path, ready=True)
            await client.delete(path, body={"gracePeriodSeconds": 60})
            await reaches(slices, "s", {"10.244.9.1": (False, True, True)})
            await client.delete(path, body={"gracePeriodSeconds": 0})
            await reaches(slices, "s", {})
            await client.delete(f"{home}/services/s")
            await slices.until(lambda items: all(p["metadata"]["namespace"] != "life" for p in items.values()))

    asyncio.run(scenario())


def test_250_pods_fill_three_slices_and_empty_ones_go(world: World) -> None:
    async def scenario() -> None:
        async with world.client() as client, watching(client, SLICES) as slices:
            await register(client)
            home = await namespace(client, "crowd")
            paths = [await pod(client, home, f"p{n}", f"10.244.8.{n}") for n in range(1, 251)]
            await service(client, home, "many", selector={"app": "a"})
            await slices.until(lambda items: len(states(items, "many")) == 250)
            mine = [p for p in slices.items.values() if p["metadata"]["labels"]["kubernetes.io/service-name"] == "many"]
            assert sorted(len(p["endpoints"]) for p in mine) == [50, 100, 100]
            await asyncio.gather(*(client.delete(path, body={"gracePeriodSeconds": 0}) for path in paths[1:]))
            await reaches(slices, "many", {"10.244.8.1": (True, True, False)})

    asyncio.run(scenario())


def test_endpoints_objects_both_ways(world: World) -> None:
    async def scenario() -> None:
        async with (
            world.client() as client,
            watching(client, SLICES) as slices,
            watching(client, "/api/v1/endpoints") as endpoints,
        ):
            await register(client)
            home = await namespace(client, "old")
            await service(client, home, "chosen", selector={"app": "a"})
            await pod(client, home, "p", "10.244.7.1")
            await endpoints.until(lambda items: bool(items.get("old/chosen", {}).get("subsets")))
            [subset] = endpoints.items["old/chosen"]["subsets"]
            assert [address["ip"] for address in subset["addresses"]] == ["10.244.7.1"]
            await service(client, home, "made")
            subsets = [{"addresses": [{"ip": "192.0.2.9"}], "ports": [{"port": 80}]}]
            body = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "made"}, "subsets": subsets}
            await client.create(f"{home}/endpoints", body)
            await slices.until(
                lambda items: any(
                    e["addresses"] == ["192.0.2.9"] for p in items.values() for e in p.get("endpoints") or ()
                )
            )
            await client.delete(f"{home}/endpoints/made")
            await slices.until(
                lambda items: all(
                    p["metadata"]["labels"].get("kubernetes.io/service-name") != "made" for p in items.values()
                )
            )

    asyncio.run(scenario())


def test_a_silent_node_is_not_ready_and_neither_are_its_pods(tmp_path: Path) -> None:
    world = World(tmp_path, node_grace=3.0)

    async def scenario() -> None:
        async with (
            world.client() as client,
            watching(client, "/api/v1/nodes") as nodes,
            watching(client, "/api/v1/pods") as pods,
        ):
            await register(client)
            home = await namespace(client, "lost")
            await pod(client, home, "p", "10.244.6.1")
            await pods.until(lambda items: ready(items.get("lost/p", {})) == "True")
            others = asyncio.create_task(beating(client))
            await nodes.until(lambda items: ready(items[NODES[0]]) == "Unknown")
            await pods.until(lambda items: ready(items["lost/p"]) == "False")
            assert {ready(nodes.items[name]) for name in NODES[1:]} == {"True"}
            others.cancel()

    async def beating(client: ApiClient) -> None:
        while True:
            for name in NODES[1:]:
                await beat(client, name)
            await asyncio.sleep(0.5)

    try:
        asyncio.run(scenario())
    finally:
        world.close()


def ready(obj: Json) -> str:
    conditions = obj.get("status", {}).get("conditions") or ()
    return next((str(c["status"]) for c in conditions if c["type"] == "Ready"), "")


def ingress(items: dict[str, Json], name: str) -> list[tuple[str, str]]:
    entries = items.get(name, {}).get("status", {}).get("loadBalancer", {}).get("ingress") or ()
    return [(entry["ip"], entry["ipMode"]) for entry in entries]


def test_load_balancers_get_keep_and_give_back_addresses(world: World) -> None:
    pool = ("--kubeconfig", str(world.kubeconfig), "--pool", "203.0.113.0/29,2001:db8:203::/64")
    balancer: Json = {"type": "LoadBalancer", "ipFamilyPolicy": "PreferDualStack"}

    async def scenario() -> None:
        async with world.client() as client, watching(client, "/api/v1/services") as services:
            home = await namespace(client, "lb")
            await service(client, home, "one", **balancer)
            await services.until(lambda items: len(ingress(items, "lb/one")) == 2)
            had = ingress(services.items, "lb/one")
            assert had == [("203.0.113.1", "VIP"), ("2001:db8:203::1", "VIP")]

            await service(client, home, "asked", type="LoadBalancer", loadBalancerIP="203.0.113.5")
            await services.until(lambda items: ingress(items, "lb/asked") == [("203.0.113.5", "VIP")])
            await service(client, home, "taken", type="LoadBalancer", loadBalancerIP="203.0.113.5")
            await service(client, home, "foreign", type="LoadBalancer", loadBalancerClass="example.com/other")

            world.stop("loadbalancer")
            await service(client, home, "late", type="LoadBalancer")
            world.start("loadbalancer", *pool)
            await services.until(lambda items: len(ingress(items, "lb/late")) == 1)
            assert ingress(services.items, "lb/one") == had
            assert ingress(services.items, "lb/late")[0][0] not in {"203.0.113.1", "203.0.113.5"}
            assert ingress(services.items, "lb/taken") == ingress(services.items, "lb/foreign") == []

            await client.patch(
                f"{home}/services/late", {"metadata": {"annotations": {"nftconform.io/ip-mode": "Proxy"}}}
            )
            await services.until(lambda items: [mode for _, mode in ingress(items, "lb/late")] == ["Proxy"])
            await client.delete(f"{home}/services/asked")
            await services.until(lambda items: ingress(items, "lb/taken") == [("203.0.113.5", "VIP")])
            await client.patch(f"{home}/services/one", {"spec": {"type": "ClusterIP"}})
            await services.until(lambda items: ingress(items, "lb/one") == [])

    world.start("loadbalancer", *pool)
    try:
        asyncio.run(scenario())
    finally:
        world.stop("loadbalancer")


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in held]


async def answers(port: int, name: str) -> tuple[int, list[str]]:
    query = dns.message.make_query(name, "A")
    response = await dns.asyncquery.udp(query, "127.0.0.1", port=port, timeout=5)
    return response.rcode(), [rdata.to_text() for rrset in response.answer for rdata in rrset]


def test_cluster_dns_is_ready_when_it_knows_everything_and_follows_changes(world: World) -> None:
    dns_port, health, readiness = free_ports(3)

    async def status(session: aiohttp.ClientSession, port: int, path: str) -> int:
        try:
            async with session.get(f"http://127.0.0.1:{port}{path}") as response:
                return response.status
        except aiohttp.ClientConnectionError:
            return 0

    async def scenario() -> None:
        async with (
            world.client() as client,
            aiohttp.ClientSession() as session,
            watching(client, "/api/v1/services") as services,
        ):
            while await status(session, readiness, "/ready") != 200:
                await asyncio.sleep(0.1)
            assert await status(session, health, "/health") == 200
            ip = services.items["default/kubernetes"]["spec"]["clusterIP"]
            assert await answers(dns_port, "kubernetes.default.svc.cluster.local") == (0, [ip])
            home = await namespace(client, "named")
            assert (await answers(dns_port, "new.named.svc.cluster.local"))[0] == dns.rcode.NXDOMAIN
            await service(client, home, "new")
            while not (found := await answers(dns_port, "new.named.svc.cluster.local"))[1]:
                await asyncio.sleep(0.02)
            assert found[1] == [services.items["named/new"]["spec"]["clusterIP"]]

    ports = ("--port", str(dns_port), "--health-port", str(health), "--ready-port", str(readiness))
    world.start("dns", "--kubeconfig", str(world.kubeconfig), "--listen", "127.0.0.1", *ports)
    try:
        asyncio.run(scenario())
    finally:
        assert world.stop("dns") == 0


def test_controllers_end_politely_and_say_what_they_lack(world: World, tmp_path: Path) -> None:
    world.start("loadbalancer", "--kubeconfig", str(world.kubeconfig), "--pool", "nonsense")
    assert world.wait("loadbalancer") == 3
    world.start("dns", "--kubeconfig", str(tmp_path / "none"))
    assert world.wait("dns") == 3
    log = (world.folder / "log").read_text()
    assert "--pool nonsense is not a list of networks" in log
    assert f"The kubeconfig {tmp_path}/none cannot be read" in log
    assert "Traceback" not in log.partition("--pool nonsense")[2]
