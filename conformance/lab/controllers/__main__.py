"""``python -m conformance.lab.controllers --kubeconfig F``: every controller in one process."""

from __future__ import annotations

import asyncio
import logging
import sys

from conformance.lab import commands, kubeconfig
from conformance.lab.client import ApiClient
from conformance.lab.controllers.cluster import Cluster
from conformance.lab.controllers.daemon_sets import DaemonSetController
from conformance.lab.controllers.deployments import DeploymentController
from conformance.lab.controllers.endpoint_slices import EndpointSliceController
from conformance.lab.controllers.endpoints import EndpointsController
from conformance.lab.controllers.garbage import GarbageCollector
from conformance.lab.controllers.mirroring import MirroringController
from conformance.lab.controllers.namespaces import NamespaceContentController, NamespaceController
from conformance.lab.controllers.node_lifecycle import GRACE_SECONDS, NodeLifecycleController
from conformance.lab.controllers.replica_sets import ReplicaSetController
from conformance.lab.controllers.scheduler import Scheduler
from conformance.lab.controllers.workqueue import WorkQueue


async def run(connection: kubeconfig.Connection, grace: float = GRACE_SECONDS, *, only_scheduler: bool = False) -> None:
    """Run all controllers, or the scheduler alone, until cancelled."""
    async with ApiClient(connection, "kube-scheduler" if only_scheduler else "kube-controller-manager") as client:
        cluster = Cluster(client)
        queues = [Scheduler(cluster).queue] if only_scheduler else _all(cluster, connection, grace)
        async with asyncio.TaskGroup() as group:
            group.create_task(cluster.run())
            await cluster.synced()
            logging.getLogger(__name__).info("controllers are ready")
            for queue in queues:
                group.create_task(queue.run())


def _all(cluster: Cluster, connection: kubeconfig.Connection, grace: float) -> list[WorkQueue]:
    return [
        EndpointSliceController(cluster).queue,
        EndpointsController(cluster).queue,
        MirroringController(cluster).queue,
        DeploymentController(cluster).queue,
        ReplicaSetController(cluster).queue,
        DaemonSetController(cluster).queue,
        Scheduler(cluster).queue,
        NamespaceController(cluster).queue,
        NamespaceContentController(cluster, connection.ca.decode()).queue,
        NodeLifecycleController(cluster, grace).queue,
        GarbageCollector(cluster).queue,  # last: it follows every store there is
    ]


def main() -> int:
    """The command."""
    parser = commands.parser("conformance.lab.controllers", __doc__)
    parser.add_argument("--node-grace", type=float, default=GRACE_SECONDS, metavar="SECONDS")
    parser.add_argument("--only-scheduler", action="store_true", help="beside a real kube-controller-manager")
    arguments = parser.parse_args()

    async def work() -> None:
        connection = kubeconfig.load(arguments.kubeconfig)
        await run(connection, arguments.node_grace, only_scheduler=arguments.only_scheduler)

    return commands.run(work, arguments.log_level)


if __name__ == "__main__":
    sys.exit(main())
