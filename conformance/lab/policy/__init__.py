"""The lab's NetworkPolicy engine: what the agent of a CNI plugin does on its node, in an nft table of its own.

A policy sees packets in the forward hook: after the translation of Services, so with the endpoint as destination, and
before the node masquerades them, so with the source that they came with. Three decisions that the API leaves open:
established connections go on whatever policies say by now; what a node and its own pods send each other always passes;
and pods of the host network are no pods to a policy, neither selected nor named. Needs no more than the forward hook:
a pod network that bridges pods of one node without routing carries what they send each other past it.
"""
