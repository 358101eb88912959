"""Bringing a study to a server: look, compare, write what differs, and look again where no answer came."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple

from trialconv.fhir_server.capability import Capabilities
from trialconv.fhir_server.delivery import Delivery, Request, Sending, deliver
from trialconv.fhir_server.entries import Entry, Unit
from trialconv.fhir_server.fates import End, Fate, Part, StoppedError
from trialconv.fhir_server.holdings import Holdings, NotReadableError
from trialconv.fhir_server.left import Left, left_over
from trialconv.fhir_server.plan import Plan, Step, make_plan
from trialconv.fhir_server.retirement import can_retire, is_retired, retired
from trialconv.fhir_server.server import FhirServer, UncertainError
from trialconv.http_client import Retry
from trialconv.issues import Issue, SinkError, issue

#: What becomes of resources that an earlier push wrote and that the study no longer has.
LeftPolicy = Literal["keep", "retire", "delete"]
#: So often a plan is made anew because somebody else was writing at the same time.
_MOST_CONFLICTS: Final = 3


class Policy(NamedTuple):
    """How to push: `force` writes over what others wrote meanwhile, `dry_run` writes nothing."""

    dry_run: bool = False
    force: bool = False
    left: LeftPolicy = "keep"
    max_entries: int | None = None
    retry: Retry = Retry()


class _Tools(NamedTuple):
    server: FhirServer
    capabilities: Capabilities
    policy: Policy
    holdings: Holdings
    sleep: Callable[[float], None]


class Pusher:
    """Pushes studies to a server. May be used by several threads at once.

    `sleep` waits for some seconds; tests have their own.
    """

    def __init__(
        self,
        server: FhirServer,
        capabilities: Capabilities,
        policy: Policy | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        holdings = Holdings(server, batch=capabilities.batch)
        self._tools = _Tools(server, capabilities, policy or Policy(), holdings, sleep)

    @property
    def mode(self) -> str:
        """How the server is written to: `transaction`, or `single` requests."""
        return "transaction" if self._tools.capabilities.transaction else "single"

    def push(self, unit: Unit, left: Sequence[str] = ()) -> Fate:
        """Bring a study to the server and return what became of it. Raises StoppedError when the server is gone.

        `left` are addresses of what former versions are known to have left there.
        """
        fate = Fate(study=unit.study, end="failed", digest=unit.digest, mode=self.mode)
        if problem := self.unfit(unit.entries):
            fate.issues.append(issue("server-unfit", problem, record=unit.study))
            return fate
        attempts = _Attempts(self._tools, unit, fate, left if self._tools.policy.left != "keep" else ())
        try:
            attempts.run()
        except NotReadableError as error:
            fate.issues.append(issue("server-refused", str(error), record=unit.study, target_path=error.address))
        except SinkError as error:
            attempts.break_off()
            fate.issues.append(issue("server-unreachable", str(error), record=unit.study))
            raise StoppedError(fate, str(error)) from error
        return fate

    def unfit(self, entries: Sequence[Entry]) -> str | None:
        """Say why the server cannot take some entries at all, by its own words; None when it can."""
        able = self._tools.capabilities
        ours = list(dict.fromkeys(entry.kind for entry in entries if entry.id))
        searched = list(dict.fromkeys(entry.kind for entry in entries if entry.search))
        for interaction, types in (
            ("read", ours),
            ("update", ours),
            ("search-type", searched),
            ("create", searched),
        ):
            if lacking := able.lacking(types, interaction):
                return f"the server does not state the interaction {interaction!r} for {', '.join(lacking)}"
        if ours and able.takes_ids(ours) is False:
            return "the server does not let clients choose ids (updateCreate); use --request conditional-update"
        return None


class _Attempts:
    """The attempts to bring one study to the server. The fate is filled in as they go."""

    def __init__(self, tools: _Tools, unit: Unit, fate: Fate, remembered: Sequence[str]) -> None:
        self._server, self._capabilities, self._policy, self._holdings, self._sleep = tools
        self._unit = unit
        self._fate = fate
        self._intended: dict[str, Part] = {}
        self._remembered = remembered
        self._left: list[Left] | None = None
        self._failures = self._conflicts = 0
        self._plan: Plan | None = None
        self._sent: Sequence[Request] = ()
        self._sending = Sending()

    def run(self) -> None:
        """Plan and write until the server has what the study says, or refuses it."""
        before: Plan | None = None
        while True:
            plan = self._plan = make_plan(self._unit, self._holdings, self._server.base)
            self._sent = ()
            requests = self._to_write(plan, before)
            if requests is None:
                return
            before = plan
            made = self._written(plan, requests)
            if made is not None:
                self._fate.issues += made.issues
                self._finish(self._again() if made.refused else plan, "failed" if made.refused else "sent", made)
                return

    def _to_write(self, plan: Plan, before: Plan | None) -> list[Request] | None:
        """Return what is to be written; None when nothing is, or may be, and the fate is known."""
        if before is None:
            self._fate.issues += plan.issues
        if any(found.severity == "error" for found in plan.issues):
            self._finish(plan, "failed")
            return None
        requests = self._requests(plan)
        if self._policy.dry_run or not requests:
            self._finish(plan, self._end_of(plan))
            return None
        if before is not None and self._conflicts and (changed := self._changed_meanwhile(before, plan)):
            self._fate.issues += changed
            if not self._policy.force:
                self._finish(plan, self._failed_end(plan))
                return None
        return requests

    def _written(self, plan: Plan, requests: list[Request]) -> Delivery | None:
        """Write, and return how far it came; None where the server is to be looked at again.

        Raises SinkError when it stays unknown, after all tries, what came of it.
        """
        self._intend(plan, requests)
        self._sent, self._sending = requests, Sending()
        try:
            made = self._deliver(requests)
        except UncertainError as error:
            self._failures += 1
            if self._failures >= self._policy.retry.tries:
                raise SinkError(str(error)) from error
            self._sleep(self._policy.retry.wait(self._failures, random.random()))  # noqa: S311 - no secret
            return None
        if self._conflicts >= _MOST_CONFLICTS:
            return made
        if made.conflict and _versions(self._again()) != _versions(plan):
            self._conflicts += 1
            return None
        if not made.refused and made.existed:
            # Somebody was faster, or the search did not find it: now it is known, and can be compared.
            self._conflicts += 1
            for name in made.existed:
                del self._intended[name]
            return None
        return made

    def _requests(self, plan: Plan) -> list[Request]:
        """Return what is to be written: what differs, and what becomes of what is left over."""
        if self._left is None:
            self._left = self._find_left(plan)
            self._tell_left()
        elif self._left:
            # An attempt whose answer was lost may have done with them already.
            now = self._holdings.read([left.address for left in self._left])
            self._left = [Left(address, resource) for address, resource in now.items()]
        made = [_storing(step, self._capabilities) for step in plan.writing]
        return made + [request for left in self._left if (request := self._about_left(left)) is not None]

    def _find_left(self, plan: Plan) -> list[Left]:
        changes = any(step.deed == "updated" for step in plan.steps)
        found = left_over(self._unit, plan.there, self._holdings, self._server.base) if changes else []
        known = {left.address for left in found} | set(plan.there)
        older = self._holdings.read([address for address in self._remembered if address not in known])
        return [*found, *(Left(address, resource) for address, resource in older.items())]

    def _about_left(self, left: Left) -> Request | None:
        policy, resource = self._policy.left, left.resource
        if policy == "delete":
            return Request(left.address, "deleted", "DELETE", left.address)
        if policy == "retire" and can_retire(resource) and not is_retired(resource):
            made = retired(resource, self._capabilities.version)
            return Request(left.address, "retired", "PUT", left.address, made, left.version)
        return None

    def _tell_left(self) -> None:
        for left in self._left or ():
            done = self._policy.left == "retire" and is_retired(left.resource)
            if self._about_left(left) is None and not done:
                self._fate.left.append(left.address)
        if self._fate.left:
            message = (
                f"the study no longer refers to {', '.join(self._fate.left)}, which an earlier version did; "
                "they stay on the server"
            )
            self._fate.issues.append(issue("left-on-server", message, record=self._unit.study))

    def _deliver(self, requests: list[Request]) -> Delivery:
        return deliver(
            self._server,
            self._capabilities,
            self._unit.study,
            requests,
            self._sending,
            max_entries=self._policy.max_entries,
        )

    def _intend(self, plan: Plan, requests: Sequence[Request]) -> None:
        """Remember what each attempt was to do: one whose answer was lost may have done it."""
        for step in plan.writing:
            self._intended[step.entry.name] = Part(address=step.address or step.entry.shown, deed=step.deed)
        for request in requests:
            self._intended.setdefault(request.name, Part(address=request.url, deed=request.deed))

    def _again(self) -> Plan:
        """Look once more what the server has, after a refusal: not every server undoes what it has begun."""
        return make_plan(self._unit, self._holdings, self._server.base)

    def _changed_meanwhile(self, before: Plan, now: Plan) -> list[Issue]:
        """Return an Issue for each resource that somebody else has changed between our look and our writing."""
        old, told = _versions(before), []
        for step in now.writing:
            if step.address in old and old[step.address] != step.version:
                message = (
                    f"somebody else wrote version {step.version} while version {old[step.address]} was compared"
                )
                message += "; it is written over" if self._policy.force else "; --force writes over it"
                told.append(
                    issue(
                        "server-conflict",
                        message,
                        record=self._unit.study,
                        target_path=step.address,
                        severity="warning" if self._policy.force else None,
                    )
                )
        return told

    def _end_of(self, plan: Plan) -> End:
        if self._policy.dry_run and plan.writing:
            return "planned"
        return "sent" if self._intended else "unchanged"

    def _failed_end(self, plan: Plan) -> End:
        done = [step for step in plan.steps if step.entry.name in self._intended and not step.writes]
        return "partial" if done else "failed"

    def _finish(self, plan: Plan, end: End, made: Delivery | None = None) -> None:
        """Put into the fate how it ended, for each resource."""
        parts = dict(made.parts) if made else {}
        failed = end == "failed"
        for step in plan.steps:
            name = step.entry.name
            if name not in parts:
                parts[name] = self._part(step, failed=failed)
        if not failed and not self._policy.dry_run:
            for name, part in self._intended.items():
                parts.setdefault(name, part)
        if self._policy.dry_run:
            for left in self._left or ():
                if (request := self._about_left(left)) is not None:
                    parts[request.name] = Part(address=request.url, deed=request.deed)
        self._fate.parts = list(parts.values())
        self._fate.end = end
        if failed:
            self._fate.broke_off()

    def break_off(self) -> None:
        """Put into the fate how far it came before the server was gone."""
        sent = self._sending.as_far_as(self._sent)
        parts = {name: part for name, part in self._intended.items() if name not in sent} if self._plan else {}
        for step in self._plan.steps if self._plan else ():
            parts[step.entry.name] = self._part(step, failed=True)
        self._fate.parts = list((parts | sent).values())
        self._fate.broke_off()

    def _part(self, step: Step, *, failed: bool) -> Part:
        intended = self._intended.get(step.entry.name)
        if intended is not None and not step.writes:
            # An attempt without an answer, or without a good one, has done it all the same.
            return Part(address=step.address, deed=intended.deed, version=step.version)
        address = step.address or step.entry.shown
        return Part(
            address=address, deed="not sent" if failed and step.writes else step.deed, version=step.version
        )


def _versions(plan: Plan) -> dict[str, str]:
    return {step.address: step.version for step in plan.steps if step.address}


def _storing(step: Step, capabilities: Capabilities) -> Request:
    entry = step.entry
    if step.address:
        return Request(entry.name, step.deed, "PUT", step.address, step.resource, step.version)
    condition = ""
    if entry.search and capabilities.conditional_create(entry.kind):
        condition = entry.search.partition("?")[2]
    return Request(entry.name, step.deed, "POST", entry.kind, step.resource, condition=condition)
