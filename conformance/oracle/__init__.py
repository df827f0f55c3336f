"""The oracle: what must happen, computed from the cluster's state alone."""

from conformance.oracle.established import expect_established as expect_established
from conformance.oracle.health_check import HealthCheck as HealthCheck
from conformance.oracle.health_check import expect_health_check as expect_health_check
from conformance.oracle.names import expect_lookup as expect_lookup
from conformance.oracle.pins import Memory as Memory
from conformance.oracle.pins import forget as forget
from conformance.oracle.pins import remember as remember
from conformance.oracle.questions import expect_cell as expect_cell
from conformance.oracle.walk import expect as expect
