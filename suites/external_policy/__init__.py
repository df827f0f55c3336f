"""Promises about external policy."""
