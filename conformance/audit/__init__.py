"""The ruleset audit: does kube-proxy's nftables table on a node do what the API's objects ask for."""

from conformance.audit.auditing import MEASURED as MEASURED
from conformance.audit.auditing import audit as audit
from conformance.audit.auditing import audit_node as audit_node
from conformance.audit.finding import Finding as Finding
from conformance.audit.finding import Kind as Kind
from conformance.audit.place import Detail as Detail
from conformance.audit.read import read_tables as read_tables
from conformance.audit.stream import MalformedRuleset as MalformedRuleset
from conformance.audit.table import Table as Table
from conformance.audit.table import Tables as Tables
