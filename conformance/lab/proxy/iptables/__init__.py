"""The reference proxy's iptables mode: Service rules of one node in the structure of kube-proxy 1.36's iptables mode.

services, slices, node, config -> `part` and `frame` -> Tables -> `restore` -> iptables-restore; all but the last pure.
"""
