"""Faults that the lab can suffer, put in below the proxy: see `conformance.spec.faults` for what each of them is."""
