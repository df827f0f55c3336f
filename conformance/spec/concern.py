"""Whom an upstream bug can meet, as far as the API's objects and kube-proxy's configuration tell."""

from __future__ import annotations

from enum import Enum


class Concern(Enum):
    """What a cluster must have for a bug to matter there."""

    CLUSTER = "cluster"  # every cluster
    UDP = "udp"  # a Service with a UDP port
    LOCAL_EXTERNAL = "local-external"  # externalTrafficPolicy Local with a load balancer's or an external IP
    LONG_NAME = "long-name"  # a Service whose namespace, name and a port's make a comment too long for nft
    MANY_SERVICES = "many-services"
    INTERFACE_PREFIX = "interface-prefix"  # detectLocalMode InterfaceNamePrefix
    NEWER_NFT = "newer-nft"  # a node whose own nft writes what older ones cannot read
