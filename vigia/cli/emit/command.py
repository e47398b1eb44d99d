"""`vigia emit` from its options to its exit code: build, send, and for a deployment wait for its risk.

A checkout's own files are never read for settings (see `settings.load`): it may be anybody's.
"""

import os
import sys
import time
from argparse import Namespace
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from vigia.cli.emit import building, text
from vigia.cli.emit.broker import NotAcknowledged, Place, RiskReader, send
from vigia.cli.emit.origin import Origin, origin
from vigia.cli.emit.verdict import EXITS, verdict
from vigia.cli.exits import NEEDS_PERSON, OK, TRANSIENT, UNUSABLE
from vigia.events.deployments import Deployment
from vigia.events.invalid import InvalidEvent
from vigia.events.risk import Risk
from vigia.feeds.git.checkout import Brought, read
from vigia.feeds.git.command import Git, GitError
from vigia.settings import Settings, SettingsError, load


def emit(options: Namespace, environ: Mapping[str, str] = os.environ) -> int:
    """Send what `options` say; returns the exit code."""
    try:
        settings = load(environ, in_own_checkout=False)
        if options.kind == "deployment":
            return _deployment(options, settings, environ)
        return _simple(options, settings, origin(environ))
    except SettingsError as error:
        _say(str(error))
        return NEEDS_PERSON
    except (InvalidEvent, GitError) as error:
        _say(f"nothing was sent: {error}")
        return UNUSABLE
    except NotAcknowledged as error:
        _say(str(error))
        return TRANSIENT


def _simple(options: Namespace, settings: Settings, where: Origin) -> int:
    now = time.time()
    if options.kind == "feedback":
        topic, event = building.outcome(options, where, _commit(options, where, settings), now)
    else:
        topic, event = building.SIMPLE[options.kind](options, where, now)
    event = building.said_by(event, settings.emit)
    place = send(settings.kafka, topic, event, settings.emit.delivery_timeout)
    if options.json:
        _print_json({"identity": event.identity, "acknowledged": place._asdict()})
    else:
        print(f"sent {options.kind} to {place.topic}, partition {place.partition}, offset {place.offset}")
    return OK


def _commit(options: Namespace, where: Origin, settings: Settings) -> str:
    """Return the commit that a deployment's name is made from, if it is; else empty."""
    if options.id or where.run:
        return ""
    return Git(Path(options.repo), time.monotonic() + settings.emit.git_timeout).resolve(options.commit)


def _deployment(options: Namespace, settings: Settings, environ: Mapping[str, str]) -> int:
    limits = settings.emit
    patience = limits.risk_timeout if options.wait is None else options.wait
    asks = (options.stage == "planned" or options.gate) and patience > 0
    with ThreadPoolExecutor(1) as pool, ExitStack() as ending:
        # the history is read while the broker is asked where `risk` ends now
        reading = pool.submit(_brought, options, limits.git_timeout)
        reader = RiskReader(settings.kafka, limits.delivery_timeout) if asks else None
        if reader is not None:
            ending.callback(reader.close)
        brought = reading.result()
        event = _built(options, origin(environ), brought)
        place = send(settings.kafka, *building.topic_of(event), limits.delivery_timeout)
        risk = reader.wait(event, patience) if reader is not None else None
    notes = brought.notes if brought is not None else ()
    code = _exit_code(risk, gate=options.gate)
    if options.json:
        _print_json(_told(event, place, risk, notes, code))
    else:
        colours = text.coloured(sys.stdout, environ)
        print("\n".join(text.lines(event, risk, notes, brought.since if brought else "", colours=colours)))
    if risk is None and asks:
        _say(
            f"the deployment was sent ({place.topic}, partition {place.partition}, offset {place.offset}), but its "
            f"risk did not come within {patience:g} s: do workers run (`make status`)?"
        )
    return code


def _brought(options: Namespace, budget: float) -> Brought | None:
    if options.no_git:
        return None
    # where a branch begins, GitHub and GitLab name what came before as zeros
    since = "" if options.since and not options.since.strip("0") else options.since
    return read(Path(options.repo), head=options.commit, since=since, since_tag=options.since_tag, budget=budget)


def _built(options: Namespace, where: Origin, brought: Brought | None) -> Deployment:
    commit = brought.head if brought is not None else ""
    if not (commit or where.run or options.id):
        raise GitError("outside of a pipeline --no-git needs --id: a deployment must have a name")
    return building.deployment(options, where, commit, brought, time.time())


def _exit_code(risk: Risk | None, *, gate: bool) -> int:
    if not gate:
        return OK
    return EXITS[verdict(risk)] if risk is not None else TRANSIENT


def _told(event: Deployment, place: Place, risk: Risk | None, notes: tuple[str, ...], code: int) -> dict[str, Any]:
    return {
        "deployment_id": event.deployment_id,
        "source": event.source,
        "external_id": event.external_id,
        "service": event.service,
        "environment": event.environment,
        "version": event.version,
        "commits": len(event.commits),
        "notes": list(notes),
        "acknowledged": place._asdict(),
        "verdict": verdict(risk) if risk is not None else None,
        "exit_code": code,
        "risk": risk,
    }


def _print_json(content: dict[str, Any]) -> None:
    print(msgspec.json.encode(content).decode())


def _say(sentence: str) -> None:
    print(text.clean_lines(sentence), file=sys.stderr)
