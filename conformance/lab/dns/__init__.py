"""Cluster DNS: the Kubernetes DNS specification, answered from Services and EndpointSlices."""
