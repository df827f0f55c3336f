"""Faults in what the API server and cluster DNS answer: both look at the switchboard whenever they are asked."""
