"""Promises of kube-proxy about itself, and about many changes in a row."""
