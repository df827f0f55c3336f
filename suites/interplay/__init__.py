"""Promises that others on the node can break: firewalls, caches of DNS, what a former mode has left behind."""
