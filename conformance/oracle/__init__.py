"""The oracle: what must happen, computed from the cluster's state alone."""

from conformance.oracle.walk import expect as expect
