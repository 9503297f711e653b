"""The question that a person answers before a new version runs, and what comes of each answer."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from nba_ml import alerts, calendar
from nba_ml.context import Context
from nba_ml.errors import UsageError
from nba_ml.registry import steps, telling, versions
from nba_ml.registry.choices import NOBODY, Choice
from nba_ml.registry.states import Rollout, State

logger = logging.getLogger(__name__)

_SYSTEMS = ("ensemble", "xgboost", "ewma_hl8", "line")
_COMPARED = ("trained_until", "feature_version", "code_version", "commit")


_DECISIONS = {Choice.APPROVE: steps.approve, Choice.SHADOW: steps.shadow, Choice.REJECT: steps.reject}


def question(context: Context, version: str | None = None) -> dict[str, Any]:
    """Ask whether a version that training published shall run.

    Parameters
    ----------
    version : str, optional
        By default the newest candidate.

    Returns
    -------
    dict
        "version", "seen" (number of the release log's last entry), "subject" and "body" (Markdown: the figures, the gates, what differs from the
        version that serves, the report, the same by command); empty where nobody has to be asked.
    """
    log = steps.open_log(context)
    rollout = log.rollout
    if context.settings.release_approval != "person":
        logger.info("NBA_ML_APPROVAL=auto: nobody has to be asked")
        return {}
    version = version or _newest_candidate(context, rollout)
    if version is None:
        logger.info("no candidate waits in %s", log.environment)
        return {}
    if version in (rollout.serving, rollout.challenger):
        logger.info(
            "%s is %s in %s already: nba-ml release advance takes a challenger further", version, rollout.state_of(version), log.environment
        )
        return {}
    manifest, _ = versions.read_manifest(context.store, versions.MODEL, version)
    serving = versions.read_manifest(context.store, versions.MODEL, rollout.serving)[0] if rollout.serving else None
    lines = [
        *_figures(manifest, serving),
        *_gates(manifest["gates"]["results"]),
        *_differences(manifest, serving),
        f"[The report]({context.store.url_of(versions.folder(versions.MODEL, version) + versions.REPORT)}) has every figure, month by month.",
        "",
        f"Approving starts it at {'10 % of the rows' if serving else '100 %'}. The same by command: `nba-ml release approve {version} --reason TEXT`",
    ]
    return {
        "version": version,
        "seen": rollout.number,
        "subject": f"Release {version} in {log.environment}?",
        "body": "\n".join(lines),
    }


def _newest_candidate(context: Context, rollout: Rollout) -> str | None:
    """Return the version that was published last, if it passed its gates and nobody decided on it yet."""
    published = [
        versions.read_manifest(context.store, versions.MODEL, version)[0]
        for version in versions.list_versions(context.store, versions.MODEL)
    ]
    newest = max(published, key=lambda manifest: manifest["created_at"], default=None)
    waits = newest is not None and newest["gates"]["passed"] and rollout.state_of(newest["version"]) == State.CANDIDATE
    return str(newest["version"]) if newest is not None and waits else None


def answer(context: Context, asked: Mapping[str, Any], choice: str, *, actor: str, note: str = "") -> dict[str, Any]:
    """Do what a person answered; an answer that comes after another decision on the version is refused.

    Parameters
    ----------
    asked : mapping
        What `question` returned.
    choice : str
        One of `Choice`. With `Choice.LATER`, what an unanswered question comes to, everything stays as it is.
    actor : str
        Who answered; `NOBODY` where the time was up: people are reminded.

    Returns
    -------
    dict
        See `nba_ml.registry.steps.Answer`.

    Raises
    ------
    UsageError
        If the choice is none, or a rejection has no note.
    GateRefused
        If the answer comes too late.
    """
    chosen = Choice(choice)
    if chosen == Choice.REJECT and not note.strip():
        raise UsageError(f"a rejection needs a note that says why: nba-ml release reject {asked['version']} --reason TEXT")
    if chosen == Choice.LATER:
        if actor == NOBODY:
            alerts.write(context, telling.wanted(asked, occasion=f"no answer by {calendar.now():%Y-%m-%d %H:%M} UTC"))
        return steps.standing(context, asked["version"])
    reason = note.strip() or f"{chosen} in the Airflow UI"
    return _DECISIONS[chosen](context, asked["version"], actor=actor, reason=reason, seen=asked["seen"])


def _figures(manifest: Mapping[str, Any], serving: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the mean absolute errors of the version's backtest, and of the serving version's own, which is of other dates."""
    for title, document in ((f"Backtest of {manifest['version']}", manifest), ("Backtest of the version that serves", serving)):
        if document is None:
            continue
        metrics = document["metrics"]
        yield f"**{title}**, {metrics['from']} to {metrics['to']}, mean absolute error in points:"
        yield ""
        yield f"| rows | n | {' | '.join(_SYSTEMS)} |"
        yield f"|---|---|{'---|' * len(_SYSTEMS)}"
        for name, population in metrics["populations"].items():
            found = [population["predictors"].get(system, {}).get("mae") for system in _SYSTEMS]
            numbers = " | ".join("–" if value is None else f"{value:.3f}" for value in found)
            yield f"| {name}: {population['definition']} | {population['common_rows']:,} | {numbers} |"
        yield ""


def _gates(results: list[dict[str, Any]]) -> Iterator[str]:
    failed = [gate for gate in results if not gate["passed"]]
    yield f"**Gates**: {len(results) - len(failed)} of {len(results)} passed."
    yield from (f"- {gate['id']} ({gate['mode']}): {gate['value']}, asked is {gate['threshold']}. {gate['reason']}" for gate in failed)
    yield ""


def _differences(manifest: Mapping[str, Any], serving: Mapping[str, Any] | None) -> Iterator[str]:
    if serving is None:
        yield from ("Nothing serves yet in this environment.", "")
        return
    yield from (f"**Against {serving['version']}, which serves:**", "")
    for name in _COMPARED:
        if manifest[name] != serving[name]:
            yield f"- {name}: {serving[name]} → {manifest[name]}"
    yield f"- rows: {serving['data']['rows']:,} → {manifest['data']['rows']:,}"
    now, before = ({feature["name"] for feature in document["feature_schema"]} for document in (manifest, serving))
    for word, names in (("new", now - before), ("dropped", before - now)):
        if names:
            yield f"- {word} features: {', '.join(sorted(names))}"
    for system, constants in manifest["parameters"].items():
        earlier = serving["parameters"].get(system)
        if constants != earlier:
            yield f"- constants of {system}: {earlier} → {constants}"
    yield ""
