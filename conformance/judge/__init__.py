"""The judge: an expectation and an observation, compared and put into words."""

from conformance.judge.explain import account as account
from conformance.judge.explain import block as block
from conformance.judge.explain import expected as expected
from conformance.judge.explain import explain as explain
from conformance.judge.explain import said as said
from conformance.judge.judging import judge as judge
from conformance.judge.reached import name_of as name_of
