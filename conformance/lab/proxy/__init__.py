"""The lab's reference proxy: Service rules for one node in the structure of kube-proxy 1.36's nftables mode.

services, slices, node, config -> `desired` -> Ruleset -> `transaction` -> nft. All but the last is pure.
"""
