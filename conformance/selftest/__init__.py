"""Proof that the cases can fail: every fault in a lab of its own, and the cases that claim to catch it."""
