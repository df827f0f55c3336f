"""A case: one promise, what is given, what is dialled and what must follow, all in terms of node roles.

Roles are letters: node ``a`` is the first node that the plan chose, ``b`` the second, and so on. A case never names a
node, an address or a port of a particular cluster; `conformance.plan` binds roles to what is there. All the words that
rows are written with are to be had from here.
"""

from conformance.model.case.backend import Backend as Backend
from conformance.model.case.backend import Breed as Breed
from conformance.model.case.backend import fleet as fleet
from conformance.model.case.backend import on as on
from conformance.model.case.backend import on_host as on_host
from conformance.model.case.refs import API as API
from conformance.model.case.refs import ClientRef as ClientRef
from conformance.model.case.refs import DestinationRef as DestinationRef
from conformance.model.case.refs import cluster_ip as cluster_ip
from conformance.model.case.refs import cluster_ip_other_port as cluster_ip_other_port
from conformance.model.case.refs import endpoint as endpoint
from conformance.model.case.refs import external as external
from conformance.model.case.refs import external_ip as external_ip
from conformance.model.case.refs import health_check as health_check
from conformance.model.case.refs import host as host
from conformance.model.case.refs import load_balancer as load_balancer
from conformance.model.case.refs import lookup as lookup
from conformance.model.case.refs import node_port as node_port
from conformance.model.case.refs import node_port_loopback as node_port_loopback
from conformance.model.case.refs import node_port_secondary as node_port_secondary
from conformance.model.case.refs import pod as pod
from conformance.model.case.refs import pod_address as pod_address
from conformance.model.case.refs import proxy_page as proxy_page
from conformance.model.case.refs import uplink as uplink
from conformance.model.case.service_spec import BOTH as BOTH
from conformance.model.case.service_spec import EndpointSpec as EndpointSpec
from conformance.model.case.service_spec import IngressSpec as IngressSpec
from conformance.model.case.service_spec import PortSpec as PortSpec
from conformance.model.case.service_spec import ServiceSpec as ServiceSpec
from conformance.model.case.service_spec import SlicePort as SlicePort
from conformance.model.case.service_spec import SliceSpec as SliceSpec
from conformance.model.case.service_spec import by_hand as by_hand
from conformance.model.case.service_spec import draining as draining
from conformance.model.case.service_spec import service as service
from conformance.model.case.story import BOTH_FAMILIES as BOTH_FAMILIES
from conformance.model.case.story import TCP_AND_UDP as TCP_AND_UDP
from conformance.model.case.story import Ask as Ask
from conformance.model.case.story import Axes as Axes
from conformance.model.case.story import Become as Become
from conformance.model.case.story import Case as Case
from conformance.model.case.story import Dialling as Dialling
from conformance.model.case.story import Level as Level
from conformance.model.case.story import Matrix as Matrix
from conformance.model.case.story import Need as Need
from conformance.model.case.story import Profile as Profile
from conformance.model.case.story import Step as Step
from conformance.model.case.story import Submission as Submission
from conformance.model.case.story import Vantage as Vantage
from conformance.model.case.story import ask as ask
from conformance.model.case.story import axes as axes
from conformance.model.case.story import becomes as becomes
from conformance.model.case.story import dial as dial
from conformance.model.case.story import nodes as nodes
from conformance.model.case.story import since as since
from conformance.model.case.story import vantage as vantage
from conformance.model.case.story import watch as watch
from conformance.model.case.story import zones as zones
from conformance.model.case.then import PRESENT as PRESENT
from conformance.model.case.then import Answered as Answered
from conformance.model.case.then import Pinned as Pinned
from conformance.model.case.then import Rejected as Rejected
from conformance.model.case.then import ResolvesTo as ResolvesTo
from conformance.model.case.then import Says as Says
from conformance.model.case.then import SeenSource as SeenSource
from conformance.model.case.then import Stored as Stored
from conformance.model.case.then import Then as Then
