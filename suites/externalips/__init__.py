"""Promises about externalips."""
