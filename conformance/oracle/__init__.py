"""The oracle: what must happen, computed from the cluster's state alone."""

from conformance.oracle.health_check import HealthCheck as HealthCheck
from conformance.oracle.health_check import expect_health_check as expect_health_check
from conformance.oracle.walk import expect as expect
