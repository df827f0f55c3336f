"""Faults in what the API server and cluster DNS answer."""
