"""Promises about healthCheckNodePort."""
