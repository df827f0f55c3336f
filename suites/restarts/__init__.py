"""Promises about components of the cluster that go and come back: asked only where a run may disturb others."""
