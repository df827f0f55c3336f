"""Promises about EndpointSlices, hand-made ones above all."""
