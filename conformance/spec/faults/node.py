"""Faults of the node around kube-proxy, and of the pod network."""

from __future__ import annotations

from conformance.model.verdict import Mismatch
from conformance.spec.faults.damage import Damage, Site, upstream
from conformance.spec.faults.fault import Fault

DAMAGE = {
    Fault.POD_TO_POD_BROKEN: Damage(
        Site.WIRE,
        "the node drops what is sent to the pods of other nodes, unless it was dialled at a Service",
        "Pods and nodes reach every pod at its own address.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.OWN_PODS_NOT_REACHED: Damage(
        Site.WIRE,
        "the node drops all but TCP that its own processes send to its pods, unless they dialled a Service",
        "A node's own processes reach the pods of the node.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.POD_TO_POD_MASQUERADED: Damage(
        Site.WIRE,
        "what a node's pods send to other pods gets the node's address",
        "Pods see each other with their own addresses.",
        (Mismatch.WRONG_SOURCE,),
        upstream(112820),
    ),
    Fault.LARGE_PACKETS_LOST: Damage(
        Site.WIRE,
        "the node drops what is larger than 1,400 bytes on its way to its pods",
        "What takes more than one packet passes through a Service unharmed.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.STALE_FLOWS: Damage(
        Site.NODE,
        "a table before kube-proxy's remembers where each UDP flow went first, and sends it there again",
        "A UDP flow follows its Service: to other endpoints, or nowhere.",
        (Mismatch.WRONG_ENDPOINT, Mismatch.ANSWERED),
        upstream(125467, 126130, 139628, 141371),
    ),
    Fault.EARLY_FLOWS_STAY: Damage(
        Site.NODE,
        "a table around kube-proxy's remembers the UDP flows that it did not translate, and keeps it from doing so",
        "A UDP flow that began too early is served once there is somebody to serve it.",
        (Mismatch.NOT_REACHED,),
        upstream(91236, 98305),
    ),
    Fault.FLOW_BROKEN: Damage(
        Site.NODE,
        "whenever a Service or a slice changes, the kernel forgets all translated TCP connections, and picks up none",
        "An established connection lives on, whatever changes around it.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.PROXY_NOT_HEALTHY: Damage(
        Site.NODE,
        "another server answers at port 10256",
        "kube-proxy says that it is alive and that its rules are up to date.",
        (Mismatch.WRONG_WORD,),
    ),
    Fault.PROXY_IN_ANOTHER_MODE: Damage(
        Site.NODE,
        "another server answers at port 10249 of one node",
        "Every node's kube-proxy says that it runs in nftables mode.",
        (Mismatch.WRONG_WORD, Mismatch.UNFIT_NODE),
    ),
    Fault.FAMILY_UNASKED_SERVED: Damage(
        Site.NODE,
        "a program on the node listens at the node port in the other family, and passes on what it gets",
        "A node port is open in the families of its Service only.",
        (Mismatch.ANSWERED,),
    ),
    Fault.HEALTH_CHECK_NOT_SERVED: Damage(
        Site.NODE,
        "connections to the port are reset",
        "Each node tells load balancers at the healthCheckNodePort whether to send it traffic.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.HEALTH_CHECK_WRONG_COUNT: Damage(
        Site.NODE,
        "a server between client and kube-proxy tells one more endpoint",
        "A node passes the health check if, and only if, it has a ready endpoint, and tells how many.",
        (Mismatch.WRONG_WORD,),
    ),
    Fault.HEALTH_CHECK_COUNTS_TERMINATING: Damage(
        Site.NODE,
        "a server between client and kube-proxy adds the endpoints that serve while they terminate",
        "A node whose endpoints all terminate fails the health check.",
        (Mismatch.WRONG_WORD,),
    ),
    Fault.HEALTH_CHECK_INCOMPLETE: Damage(
        Site.NODE,
        "a server between client and kube-proxy passes on the number of endpoints only",
        "The health check's answer names the Service, tells the proxy's health, and gives the node's weight.",
        (Mismatch.WRONG_WORD,),
    ),
    Fault.HEALTH_CHECK_ON_EVERY_ADDRESS: Damage(
        Site.NODE,
        "what is sent to the port at any address of the node is redirected to its primary one",
        "Health checks are answered at the addresses that take node ports only.",
        (Mismatch.ANSWERED,),
    ),
    Fault.HEALTH_CHECK_STAYS: Damage(
        Site.NODE,
        "another server answers at the port when kube-proxy does not do so any more",
        "The health check port closes when its Service does not have it any more.",
        (Mismatch.ANSWERED,),
    ),
}
