"""Faults in the API's objects as kube-proxy sees them: each takes an object and gives back what kube-proxy is shown."""
