"""NetworkPolicies as they come, change and go, and one of the kit's own that shows when the others are in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.arrange import manifests
from conformance.arrange.arrangement import Arrangement
from conformance.cluster.effort import timed
from conformance.cluster.failures import ApiRefused
from conformance.cluster.paths import kind
from conformance.model.case.backend import Backend, Breed
from conformance.model.case.policy_spec import PolicySpec
from conformance.model.effort import Phase
from conformance.model.surroundings import Surroundings

JSON = dict[str, Any]


def gates(roles: Iterable[str]) -> tuple[Backend, ...]:
    """A pod on each role's node that nobody dials but to see whether policies are in force."""
    return tuple(Backend(role, Breed.GATE.value) for role in roles)


@dataclass
class Policies:
    """The NetworkPolicies of one run; ``closed`` says that no pod may dial the gates.

    ``lacking`` says of each policy that the API refused why.
    """

    arrangement: Arrangement
    specs: dict[str, PolicySpec] = field(default_factory=dict)
    closed: bool = False
    lacking: dict[str, str] = field(default_factory=dict)

    @timed(Phase.ARRANGE)
    def become(self, specs: Sequence[PolicySpec], here: Surroundings) -> None:
        """Make exactly ``specs`` exist; those that stay what they are are not touched."""
        wanted = {spec.called: spec for spec in specs}
        delete, at_once = self.arrangement.cluster.delete, self.arrangement.at_once
        at_once(delete, [self._path(spec) for name, spec in self.specs.items() if name not in wanted])
        self.lacking = {name: why for name, why in self.lacking.items() if name in wanted}

        def attempt(spec: PolicySpec) -> None:
            try:
                self._write(spec, here)
            except ApiRefused as no:
                self.lacking[spec.called] = no.cause

        at_once(attempt, [s for s in specs if self.specs.get(s.called) != s])
        self.specs = wanted

    def _write(self, spec: PolicySpec, here: Surroundings) -> None:
        made = manifests.network_policy(self.arrangement.run, spec, here)
        if spec.called in self.specs:
            self.arrangement.cluster.update(self._path(spec), made)
        else:
            self.arrangement.create([made])

    def turn(self, every: tuple[Backend, ...], here: Surroundings) -> None:
        """Close the gates ``every``, or open them again."""
        last = PolicySpec("last", every)
        if self.closed:
            self.arrangement.cluster.delete(self._path(last))
        else:
            self.arrangement.create([manifests.network_policy(self.arrangement.run, last, here)])
        self.closed = not self.closed

    def stored(self) -> list[JSON]:
        """All policies of the run's namespaces as the API has them now: others may put some of their own there."""
        spaces = self.arrangement.run.spaces.values()
        return [p for name in spaces for p in self.arrangement.cluster.objects("NetworkPolicy", name)]

    def _path(self, spec: PolicySpec) -> str:
        return kind("NetworkPolicy").path(self.arrangement.run.spaces[spec.space.value], spec.called)
