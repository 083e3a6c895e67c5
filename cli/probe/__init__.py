"""`roomsync probe`: try the written beliefs about a provider on its real service, as one person of one's own."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import click

from cli.common.engine import connect_engine
from cli.common.exit_codes import FINDING, UNREACHABLE
from cli.probe.account import find_person, open_access
from cli.probe.interruption import Interruption
from cli.probe.pushes import PushCounter, is_subscribed
from cli.probe.report import print_result, print_summary
from shared.domain.identity import Provider
from shared.providers.beliefs.table import beliefs_of
from shared.providers.catalogue import registration
from shared.providers.trials.catalogue import service_of, trials_of
from shared.providers.trials.service import ServiceUnreachableError
from shared.providers.trials.trial import TrialContext, TrialOutcome, TrialResult, run_trials
from shared.runtime.clock import SystemClock


@click.command()
@click.argument("provider", type=click.Choice([each.value for each in Provider]))
@click.option("--person", default="", metavar="ADDRESS", help="Whose grant to use; needed where several are connected.")
@click.option("--room", default="", metavar="ADDRESS", help="A room they may book, which accepts by itself.")
@click.option("--only", "keys", multiple=True, metavar="KEY", help="Try this belief alone. Repeatable.")
@click.option(
    "--patience-s", type=click.FloatRange(min=0), default=300.0, show_default=True,
    help="How long to wait for what takes its time: a room's answer, a change in an increment.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a belief, a line each.")
def command(provider: str, person: str, room: str, keys: tuple[str, ...], patience_s: float, as_json: bool) -> int:
    """
    Try what roomsync believes about a provider, with your own tenant, and say what does not hold.

    Connect a test account at roomsync's pages first: the probe uses that person's grant and nobody else's. It makes
    events in their calendar, three weeks ahead at night, titled "roomsync probe - a test, may be deleted", and deletes
    them again. Nobody is invited but the room that you name. With ROOMSYNC_WRITES=off it only reads. The beliefs
    with their evidence are in docs/beliefs.md.

    Exit codes: 0 all that was tried holds, 1 something does not or was left behind, 2 usage, 3 the provider does not answer.
    """
    chosen = Provider(provider)
    unknown = set(keys) - {belief.key for belief in beliefs_of(chosen)}
    if unknown:
        message = f"no belief about {provider} is called {', '.join(sorted(unknown))}; see docs/beliefs.md"
        raise click.UsageError(message)
    with connect_engine() as (engine, settings):
        mailbox = find_person(engine, chosen, person)
        access = open_access(engine, settings, mailbox)
        pushes = PushCounter(engine, chosen, mailbox).count if is_subscribed(engine, mailbox) else None
        with Interruption() as interruption, service_of(chosen, access, settings) as service:
            context = TrialContext(
                service=service,
                access=access,
                now_ms=SystemClock().now_ms(),
                run=secrets.token_hex(4),
                room=room,
                patience_s=patience_s,
                discovery_url=registration(chosen, settings).discovery_url,
                pushes=pushes,
                unbroken=interruption.hold,
            )
            return _probe(chosen, context, keys, may_write=settings.may_write, as_json=as_json)


def _probe(provider: Provider, context: TrialContext, keys: Sequence[str], *, may_write: bool, as_json: bool) -> int:
    trials = [trial for trial in trials_of(provider) if not keys or trial.key in keys]
    results: list[TrialResult] = []
    try:
        for result in run_trials(trials, context, may_write=may_write):
            results.append(result)
            print_result(result, as_json=as_json)
    except ServiceUnreachableError as error:
        click.echo(f"roomsync: {error}", err=True)
        return UNREACHABLE
    finally:
        for what in context.left_behind:
            click.echo(f"roomsync: could not remove {what}: delete it by hand", err=True)
    results += _not_tried(provider, keys, as_json=as_json)
    print_summary(results, as_json=as_json)
    found = context.left_behind or any(result.outcome is TrialOutcome.CONTRADICTED for result in results)
    return FINDING if found else 0


def _not_tried(provider: Provider, keys: Sequence[str], *, as_json: bool) -> list[TrialResult]:
    """The beliefs that no probe tries."""
    results = [
        TrialResult(belief.key, TrialOutcome.NOT_TRIED, belief.not_tried)
        for belief in beliefs_of(provider)
        if not belief.is_tried and (not keys or belief.key in keys)
    ]
    for result in results:
        print_result(result, as_json=as_json)
    return results
