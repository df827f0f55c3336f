"""Faults along a packet's path through the pod network."""

from __future__ import annotations

from conformance.model.verdict import Mismatch
from conformance.spec.faults.damage import Damage, Site, upstream
from conformance.spec.faults.fault import Fault

DAMAGE = {
    Fault.ICMP_ERRORS_LOST: Damage(
        Site.WIRE,
        "the node drops ICMP errors that it is to forward",
        "What ICMP says about a packet to a Service reaches its sender.",
        (Mismatch.NOT_TOLD, Mismatch.DROPPED_NOT_REFUSED),
    ),
    Fault.MTU_BLACK_HOLE: Damage(
        Site.WIRE,
        "the node drops those ICMP errors that it is to forward which say that a packet was too big",
        "Who sends packets that are too big for the path is told.",
        (Mismatch.NOT_TOLD,),
        ("projectcalico/calico#3145",),
    ),
    Fault.RESETS_LOST: Damage(
        Site.WIRE,
        "the node drops TCP resets that it is to forward",
        "A connection that an endpoint refuses ends at once.",
        (Mismatch.DROPPED_NOT_REFUSED,),
    ),
    Fault.FRAGMENTS_LOST: Damage(
        Site.WIRE,
        "the node drops fragments before it puts them together",
        "Datagrams that take several packets pass through a Service.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.FIRST_PACKETS_LOST: Damage(
        Site.WIRE,
        "the node drops the first SYN of each connection from pod to pod",
        "Connections are made at the first attempt.",
        (Mismatch.RETRANSMITTED,),
        (*upstream(88986, 92035), "projectcalico/calico#3145"),
    ),
    Fault.BULK_CORRUPTED: Damage(
        Site.WIRE,
        "the node writes over a byte of TCP segments larger than 1,000 bytes that it forwards",
        "What is sent through a Service arrives as it was sent.",
        (Mismatch.CORRUPTED,),
    ),
    Fault.HOST_PORT_MISSING: Damage(
        Site.WIRE,
        "the node drops what is sent to its pods' hostPorts",
        "A pod with a hostPort is reached at its node.",
        (Mismatch.NOT_REACHED,),
        ("containernetworking/plugins#1115",),
    ),
    Fault.HOST_IP_IGNORED: Damage(
        Site.WIRE,
        "what is sent to a hostPort at any address of the node goes to the pod",
        "A hostPort with a hostIP is one of that address only.",
        (Mismatch.ANSWERED,),
    ),
    Fault.HOST_PORT_CAPTURES_SERVICES: Damage(
        Site.WIRE,
        "what is sent to the number of a hostPort goes to the pod, whatever the address, before kube-proxy sees it",
        "A hostPort is a port of its node, and of no other address.",
        (Mismatch.WRONG_ENDPOINT, Mismatch.ANSWERED),
        ("siderolabs/talos#9883", "containernetworking/plugins#269", *upstream(66103)),
    ),
    Fault.RESTART_FLIPS_HOST_PORT: Damage(
        Site.WIRE,
        "once a node has another pod of kube-proxy, hostPorts of its pods are translated before node ports",
        "Whether a hostPort or a node port of its number is reached does not change when kube-proxy restarts.",
        (Mismatch.NOT_STICKY,),
    ),
    Fault.AGENT_RESTART_CUTS: Damage(
        Site.WIRE,
        "two seconds after the pod network's agent has started, the node drops for three all that it forwards",
        "While the pod network's agent restarts, pods reach Services as before.",
        (Mismatch.NOT_REACHED, Mismatch.SOMETIMES_LOST),
    ),
    Fault.MARK_OVERWRITTEN: Damage(
        Site.NODE,
        "another table's chain sets the mark of all that is forwarded to 0x80",
        "What must be masqueraded is, whatever others do with their bits of the mark.",
        (Mismatch.WRONG_SOURCE, Mismatch.NOT_REACHED),
        ("aws/amazon-vpc-cni-k8s#3872",),
    ),
    Fault.MARK_BIT_TAKEN: Damage(
        Site.NODE,
        "another table's chain sets bit 14 (0x4000) of the mark of all that is forwarded",
        "Pods see each other with their own addresses.",
        (Mismatch.WRONG_SOURCE,),
    ),
}
