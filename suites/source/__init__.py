"""Promises about the source addresses that are seen."""
