"""The test flow from an administrator's side: begin, be sent, come back, wait, try again, give up."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from http import HTTPStatus

import msgspec

from services.portal.admin.audit import entries
from services.portal.admin.integration.switching import lapse
from services.portal.admin.integration.testflow.abandonment import abandon, tidy, under_way
from services.portal.admin.integration.testflow.completion import (
    complete,
    enable,
    is_taken,
    known_directories,
    known_directory,
)
from services.portal.admin.integration.testflow.deciding.run import (
    Made,
    Stage,
    Step,
    TestRun,
    Trouble,
    begin_step,
    end_run,
    finish_step,
    is_silent,
    note_trouble,
)
from services.portal.admin.integration.testflow.run_store import Runs, SupersededError
from services.portal.admin.integration.testflow.trial import Trial
from services.portal.deps import Deps
from services.portal.frame.organisations import read_organisation
from services.portal.frame.problems import ProblemError
from services.portal.frame.provider_calls import waiting_for
from services.portal.frame.sessions import Person
from services.portal.sign_in.admission import enter
from services.portal.sign_in.openid import Identity
from services.portal.sign_in.refusals import Cause, RefusedSignInError, explain_refusal, provider_code
from shared.contracts.rows import ConsentRow, ConsentState, IntegrationState, TenantRow
from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import SECOND_MS
from shared.errors import RefusedError, RetryableError, RoomsyncError
from shared.grants.oauth import Granted
from shared.grants.vault import ConsentVault, TokenKind
from shared.language.deciding.sentences import say
from shared.organisations.integration import IntegrationTransition, after
from shared.organisations.people import user_id
from shared.registry import tables
from shared.runtime.logging import get_logger

MAX_RUNS = 16
"""Tests at once in this process: each has a thread of its own, which waits for a provider."""
_PATIENCE = 15  # seconds that another process may take with the old keys
_WAITING = frozenset({Stage.CHOSEN, Stage.SENT})
"""Stages in which a run waits for its person; only one of those who come back gets it."""
_log = get_logger()


class TestFlow:
    """One a process. Runs go on in threads of their own; what they know is on record, so that any process can show it."""

    __test__ = False

    def __init__(self, deps: Deps) -> None:
        """Nothing is begun."""
        self._deps = deps
        self._runs = Runs(deps)
        self._lock = threading.Lock()
        self._live: dict[str, threading.Thread] = {}

    def latest(self, tenant: str) -> TestRun | None:
        """The organisation's latest run."""
        return self._runs.latest(tenant)

    def is_interrupted(self, run: TestRun) -> bool:
        """Whether the process that ran it has died."""
        with self._lock:
            ours = run.id in self._live
        return not ours and is_silent(run, self._deps.clock.now_ms())

    def begin(self, person: Person, provider: Provider) -> TestRun:
        """
        Switch the toggle: the integration is being tested from now on, and nobody can use it yet.

        Raises:
            ProblemError: 409 while it is enabled, or while another test is under way.
        """
        now_ms = self._deps.clock.now_ms()
        fresh = TestRun(
            id=secrets.token_hex(8),
            user=person.user,
            provider=provider.value,
            stage=Stage.CHOSEN,
            began_at_ms=now_ms,
            beat_at_ms=now_ms,
        )
        self._refuse_enabled(person.tenant)
        lapse(self._deps, person.tenant)
        run = self._runs.place(person.tenant, lambda standing: self._in_place_of(standing, fresh))
        directory = known_directory(self._deps, person.tenant, provider)

        def testing(row: TenantRow | None) -> TenantRow:
            row = _there(row)
            if row.integration is IntegrationState.ENABLED:
                raise already_on()
            after_it = after(row, IntegrationTransition.BEGIN_TEST, now_ms)
            return msgspec.structs.replace(after_it, provider=provider.value, directory=directory)

        tables.tenants(self._deps.engine.registry).change(person.tenant, "tenant", testing)
        entries.record(self._deps, person, "integration.test-begun", about=provider.value)
        return run

    def check_idle(self, tenant: str) -> None:
        """Raises ProblemError: 409 while steps are being tried; the last of them, after enabling, is pairing the rooms."""
        run = self.latest(tenant)
        if run is not None and self._is_under_way(run):
            raise under_way()

    def send(self, person: Person, provider: Provider) -> TestRun:
        """
        They leave for their provider.

        Raises:
            ProblemError: 409 when no test with this provider has been begun.
        """
        run = self._expecting(person.tenant, provider)
        now_ms = self._deps.clock.now_ms()
        return self._change_waiting(
            person.tenant, run, lambda run: msgspec.structs.replace(run, stage=Stage.SENT, beat_at_ms=now_ms)
        )

    def come_back(self, person: Person, identity: Identity, grant: Granted) -> TestRun:
        """
        They gave the permission: the test runs from now on.

        Raises:
            ProblemError: 409, no test with this provider was begun, or another tab came back first; 503, too many tests run.
            RefusedSignInError: the account cannot be tested with, or the permission would not last.
        """
        self._refuse_surplus()
        run = self._expecting(person.tenant, identity.provider)
        organisation = read_organisation(self._deps, person.tenant)
        self._check_account(person, organisation, identity)
        if not grant.refresh_token:
            raise RefusedSignInError(Cause.NO_REFRESH_TOKEN)  # with an hour's permission nobody could be connected
        tester = enter(self._deps, person.tenant, organisation, identity)
        made = Made(
            tenant=person.tenant,
            provider=identity.provider.value,
            mailbox=f"x-{secrets.token_hex(10)}",
            subject=identity.subject,
        )
        sealed = self._runs.sealed(person.tenant, made)
        now_ms = self._deps.clock.now_ms()

        def running(run: TestRun) -> TestRun:
            with_it = msgspec.structs.replace(
                run,
                stage=Stage.RUNNING,
                directory=identity.directory,
                tester=tester,
                troubles=(),
                made=(*run.made, sealed),
            )
            return finish_step(with_it, Step.CONSENT, now_ms)

        run = self._change_waiting(person.tenant, run, running)
        self._keep_grant(made, tester, grant)
        self._start(run, made)
        return run

    def refuse(self, person: Person, error: str, description: str = "", subcode: str = "") -> TestRun:
        """
        The provider, or we, said no: the test has failed at its first step.

        Raises:
            ProblemError: 409, no test was begun.
        """
        run = self._expecting(person.tenant, None)
        trouble = Trouble(
            step=Step.CONSENT,
            code=explain_refusal(error, description, subcode).code,
            provider_code=provider_code(error, description),
            at_ms=self._deps.clock.now_ms(),
        )
        run = self._change_waiting(person.tenant, run, lambda run: end_run(note_trouble(run, trouble), trouble.at_ms))
        return self._end(person.tenant, run)

    def give_up(self, person: Person) -> None:
        """
        Leave the test; sleeping consents go on sleeping. What a run that was interrupted had made is removed.

        What cannot be removed now stays on record, and goes with the next test.

        Raises:
            ProblemError: 409 while steps are being tried, or when there is no test to give up; 503, too many wait for the provider
                already, and nothing was changed.
        """
        run = self.latest(person.tenant)
        with waiting_for(Provider(run.provider)) if run is not None and run.made else nullcontext():
            self._give_up(person)

    def _give_up(self, person: Person) -> None:
        run = abandon(self._runs, person.tenant, self._is_under_way)
        now_ms = self._deps.clock.now_ms()

        def given_up(row: TenantRow | None) -> TenantRow:
            try:
                return after(_there(row), IntegrationTransition.GIVE_UP, now_ms)
            except RefusedError as error:
                raise _no_test() from error

        tables.tenants(self._deps.engine.registry).change(person.tenant, "tenant", given_up)
        entries.record(self._deps, person, "integration.test-given-up")
        if run is not None:
            tidy(self._deps, self._runs, person.tenant, run)

    def settle(self, tenant: str) -> None:
        """
        Finish what a process that died had enabled and not finished. Idempotent; costs one read otherwise.

        While too many requests wait for the provider it is left to a later one.
        """
        run = self.latest(tenant)
        if run is None or run.step is not Step.ENABLE or not self.is_interrupted(run):
            return
        row = tables.tenants(self._deps.engine.registry).get(tenant, "tenant")
        if row is not None and row.integration is IntegrationState.ENABLED and row.provider == run.provider:
            with suppress(ProblemError, RetryableError, SupersededError), waiting_for(Provider(run.provider)):
                complete(self._deps, tenant)
                now_ms = self._deps.clock.now_ms()
                run = self._runs.change(tenant, run.id, lambda run: finish_step(run, Step.ENABLE, now_ms))
                self._end(tenant, run)

    def wait(self, timeout_s: float) -> None:
        """Until the runs of this process have ended, at most so long."""
        with self._lock:
            threads = list(self._live.values())
        deadline_s = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(deadline_s - time.monotonic(), 0.0))

    def _refuse_surplus(self) -> None:
        with self._lock:
            running = len(self._live)
        if running >= MAX_RUNS:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "tests-full",
                say("Too many organisations are being tested at this moment."),
                next_step=say("Wait a minute, then give the permission again: /admin/integration/test/permissions"),
                retry_after_s=60,
            )

    def _refuse_enabled(self, tenant: str) -> None:
        row = read_organisation(self._deps, tenant)
        if row.integration is IntegrationState.ENABLED:
            raise already_on()

    def _in_place_of(self, standing: TestRun | None, fresh: TestRun) -> TestRun:
        if standing is None:
            return fresh
        if self._is_under_way(standing):
            raise under_way()
        return msgspec.structs.replace(fresh, made=standing.made)

    def _is_under_way(self, run: TestRun) -> bool:
        return run.stage is Stage.RUNNING and not self.is_interrupted(run)

    def _expecting(self, tenant: str, provider: Provider | None) -> TestRun:
        run = self.latest(tenant)
        row = tables.tenants(self._deps.engine.registry).get(tenant, "tenant")
        if run is None or row is None or row.integration is not IntegrationState.TESTING or run.stage not in _WAITING:
            raise _no_test()
        if run.provider != row.provider:  # two administrators chose at once: neither gets a test of the other's choice
            raise _no_test()
        if provider is not None and run.provider != provider:
            raise _no_test()
        return run

    def _change_waiting(self, tenant: str, run: TestRun, decide: Callable[[TestRun], TestRun]) -> TestRun:
        """Change a run that still waits for its person. Raises ProblemError: 409 once another tab has taken it."""

        def waiting(now: TestRun) -> TestRun:
            if now.stage not in _WAITING:
                raise _no_test()
            return decide(now)

        try:
            return self._runs.change(tenant, run.id, waiting)
        except SupersededError as error:
            raise _no_test() from error

    def _check_account(self, person: Person, organisation: TenantRow, identity: Identity) -> None:
        if is_taken(self._deps, person.tenant, identity.provider, identity.directory):
            raise RefusedSignInError(Cause.DIRECTORY_TAKEN, contact=organisation.contact)
        known = known_directories(self._deps, person.tenant, identity.provider)
        if known and identity.directory not in known:
            raise RefusedSignInError(Cause.OTHER_DIRECTORY)
        if not known and not identity.administers:
            raise RefusedSignInError(Cause.DIRECTORY_UNPROVEN)
        account = user_id(organisation, identity.provider, identity.subject)
        if identity.provider == person.provider and account != person.user:
            raise RefusedSignInError(Cause.OTHER_PERSON)

    def _keep_grant(self, made: Made, tester: str, grant: Granted) -> None:
        """For as long as the test takes, under its own mailbox: the person's own calendar stays unconnected."""
        vault, mailbox = ConsentVault(self._deps.engine.keyring), Mailbox(made.tenant, made.mailbox)
        now_ms = self._deps.clock.now_ms()
        row = ConsentRow(
            user=tester,
            provider=made.provider,
            subject=made.subject,
            state=ConsentState.ACTIVE,
            refresh_sealed=vault.seal(mailbox, grant.refresh_token, TokenKind.REFRESH),
            access_sealed=vault.seal(mailbox, grant.access_token, TokenKind.ACCESS),
            access_expires_at_ms=now_ms + int(grant.expires_in_s * SECOND_MS),
            scopes=grant.scopes,
            connected_at_ms=now_ms,
        )
        tables.consents(self._deps.engine.registry).put(made.tenant, made.mailbox, row)

    def _start(self, run: TestRun, made: Made) -> None:
        thread = threading.Thread(target=self._run, args=(run, made), name=f"test-{run.id}", daemon=True)
        with self._lock:
            self._live[run.id] = thread
        thread.start()

    def _run(self, run: TestRun, made: Made) -> None:
        try:
            tried = Trial(self._deps, self._runs, run, made).run()
            self._end(made.tenant, tried if tried.troubles else self._enabled(made.tenant, tried))
        except SupersededError:
            _log.info("test_superseded", tenant=made.tenant, run=run.id)
        except RoomsyncError as error:
            # Nobody waits for this thread: the page shows the run as interrupted, and beginning anew cleans up.
            _log.error("test_run_lost", tenant=made.tenant, run=run.id, kind=type(error).__name__)
        except Exception as error:  # noqa: BLE001  # a thread's last word goes to the log
            _log.exception("test_flow_crashed", tenant=made.tenant, run=run.id, kind=type(error).__name__)
        finally:
            with self._lock:
                self._live.pop(run.id, None)

    def _enabled(self, tenant: str, run: TestRun) -> TestRun:
        change = self._runs.change
        now_ms = self._deps.clock.now_ms
        run = change(tenant, run.id, lambda run: begin_step(run, Step.ENABLE, now_ms()))
        if not self._patiently(lambda: enable(self._deps, tenant, run)):
            trouble = Trouble(step=Step.ENABLE, code=Cause.DIRECTORY_TAKEN.value, at_ms=now_ms())
            return change(tenant, run.id, lambda run: note_trouble(run, trouble))
        return change(tenant, run.id, lambda run: finish_step(run, Step.ENABLE, now_ms()))

    def _patiently(self, enabling: Callable[[], bool]) -> bool:
        for _ in range(_PATIENCE):
            try:
                return enabling()
            except RetryableError:
                self._deps.stop.wait(1.0)
        return enabling()

    def _end(self, tenant: str, run: TestRun) -> TestRun:
        now_ms = self._deps.clock.now_ms()
        if run.troubles:
            self._fail(tenant, run, now_ms)
        run = self._runs.change(tenant, run.id, lambda run: end_run(run, now_ms))
        if run.stage is Stage.PASSED:
            entries.record_for(self._deps, tenant, run.user, "integration.enabled", about=run.provider)
        else:
            outcome = run.troubles[0].code
            entries.record_for(self._deps, tenant, run.user, "integration.test-ended", run.provider, outcome)
        return run

    def _fail(self, tenant: str, run: TestRun, now_ms: int) -> None:
        def failed(row: TenantRow | None) -> TenantRow | None:
            if row is None or row.integration is not IntegrationState.TESTING:
                return None
            return after(row, IntegrationTransition.TEST_FAILED, now_ms)

        tables.tenants(self._deps.engine.registry).change(tenant, "tenant", failed)
        if run.tester and run.tester != run.user and not run.made and not self._is_linked(tenant, run):
            # An account of an organisation that is not joined with this one: nothing of it stays, but to undo something with.
            tables.users(self._deps.engine.registry).delete(tenant, run.tester)

    def _is_linked(self, tenant: str, run: TestRun) -> bool:
        return run.directory in known_directories(self._deps, tenant, run.provider)


def already_on() -> ProblemError:
    """The integration is enabled: it has to be switched off first."""
    return ProblemError(
        HTTPStatus.CONFLICT,
        "integration-on",
        say("The integration is enabled. Only one calendar system can be connected at a time."),
        next_step=say("Switch it off first, or change the calendar system: /admin/integration"),
    )


def _no_test() -> ProblemError:
    return ProblemError(
        HTTPStatus.CONFLICT,
        "no-test",
        say("No test is waiting for this."),
        next_step=say("Begin one: /admin/integration"),
    )


def _there(row: TenantRow | None) -> TenantRow:
    if row is None:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "no-organisation",
            say("Your organisation is not known any more."),
            next_step=say("Sign in again."),
        )
    return row
