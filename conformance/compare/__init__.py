"""Runs compared: two of them, what a gate makes of the difference, and many of them over time."""
