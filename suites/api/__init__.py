"""Promises of the API server about Services."""
