"""Faults of what enforces NetworkPolicies."""

from __future__ import annotations

from conformance.model.verdict import Mismatch
from conformance.spec.faults.damage import Damage, Site
from conformance.spec.faults.fault import Fault


def _open(how: str, promise: str) -> Damage:
    return Damage(Site.POLICY, how, promise, (Mismatch.ANSWERED,))


def _shut(how: str, promise: str) -> Damage:
    return Damage(Site.POLICY, how, promise, (Mismatch.NOT_REACHED,))


DAMAGE = {
    Fault.NETWORK_POLICY_NOT_ON_EVERY_NODE: _open(
        "the engine writes nothing on the last node", "A pod is isolated on whichever node it runs."
    ),
    Fault.NETWORK_POLICY_BEFORE_TRANSLATION: Damage(
        Site.POLICY,
        "rules compare the port of the connection's original direction",
        "A port that a NetworkPolicy names is one of the pod, whichever port of a Service was dialled.",
        (Mismatch.ANSWERED, Mismatch.NOT_REACHED),
    ),
    Fault.NETWORK_POLICY_BY_SERVICE_ADDRESS: _shut(
        "rules on egress compare the destination of the connection's original direction",
        "Who may dial a pod may dial it through its Service.",
    ),
    Fault.NETWORK_POLICY_INGRESS_ONLY: _open(
        "policies lose the policy type Egress", "A pod that is isolated for egress dials only whom a policy names."
    ),
    Fault.NETWORK_POLICY_ISOLATES_BOTH_WAYS: _shut(
        "policies get both policy types", "A policy isolates in the directions that its policyTypes name."
    ),
    Fault.NETWORK_POLICY_ISOLATES_NAMESPACE: _shut(
        "a policy without an ingress rule selects all pods of its namespace",
        "Pods that no policy selects are not isolated.",
    ),
    Fault.NETWORK_POLICY_OF_ANY_NAMESPACE: _shut(
        "policies are copied to every namespace but kube-system", "A policy is about pods of its own namespace."
    ),
    Fault.NETWORK_POLICY_UNION_LOST: _shut(
        "of policies with one pod selector only the first counts", "What any policy of a pod allows is allowed."
    ),
    Fault.NETWORK_POLICY_EMPTY_RULE_DENIES: _shut(
        "rules that list nothing are left out", "A rule that lists no peer and no port allows all."
    ),
    Fault.NETWORK_POLICY_SELECTORS_APART: _open(
        "a peer with both selectors becomes two peers", "A peer with both selectors means pods of those namespaces."
    ),
    Fault.NETWORK_POLICY_BLOCK_IGNORED: _shut(
        "every ipBlock is replaced by an address for documentation", "Who is in an ipBlock is let pass."
    ),
    Fault.NETWORK_POLICY_EXCEPT_IGNORED: _open(
        "ipBlocks lose their except", "Who is excepted from an ipBlock is not in it."
    ),
    Fault.NETWORK_POLICY_NAMED_PORT_IGNORED: _shut(
        "named ports become a port where nobody listens", "A named port is the container port of that name."
    ),
    Fault.NETWORK_POLICY_END_PORT_IGNORED: _shut(
        "ports lose their endPort", "A range of ports ends with its endPort, that included."
    ),
    Fault.NETWORK_POLICY_PROTOCOL_IGNORED: _open(
        "rules on ports match every protocol that has ports", "A port that a policy names has a protocol."
    ),
    Fault.NETWORK_POLICY_TCP_ONLY: _open(
        "the last rule of an isolated pod drops TCP alone", "Isolation is of TCP, UDP and SCTP alike."
    ),
    Fault.NETWORK_POLICY_ONE_FAMILY: _open(
        "no IPv6 address is looked up among the isolated ones", "A pod is isolated at each of its addresses."
    ),
    Fault.NETWORK_POLICY_KEEPS_NODE_OUT: _shut(
        "policies are applied in the output hook as well", "What a node sends to its own pods is always let pass."
    ),
    Fault.NETWORK_POLICY_LETS_NODES_IN: _open(
        "isolated pods let in every node's addresses", "A pod that is isolated for ingress is dialled by no other node."
    ),
    Fault.NETWORK_POLICY_PAST_SERVICES: _open(
        "what the node has translated is accepted before policies", "A pod is isolated at its Services as well."
    ),
    Fault.NETWORK_POLICY_CHANGE_IGNORED: Damage(
        Site.POLICY,
        "each policy stays as it was first seen",
        "A policy that is changed applies as changed to new connections.",
        (Mismatch.ANSWERED, Mismatch.NOT_REACHED),
    ),
}
