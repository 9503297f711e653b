"""A backtest as one self-contained HTML page, for readers who have never seen the code: the honest number first."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from nba_ml import atomic
from nba_ml.gates import load_gates
from nba_ml.systems.base import parameters
from nba_ml.training import betting, metrics, plots, report_data
from nba_ml.training.canaries import asked
from nba_ml.training.findings import findings
from nba_ml.training.gating import verdict
from nba_ml.training.intervals import LEAST_DATES, wilson
from nba_ml.training.pages import environment
from nba_ml.training.report_card import card
from nba_ml.training.report_inputs import Inputs

LEAK = "leak."
"""Beginning of the names of gates that are alarms: figures too good to be honest."""


def report(
    frame: pl.DataFrame,
    out: Path | None = None,
    *,
    title: str,
    notes: Sequence[str] = (),
    importance: Mapping[str, float] | None = None,
    gates: Sequence[Mapping[str, Any]] = (),
    canaries: Sequence[Mapping[str, Any]] = (),
    inputs: Inputs | None = None,
    version: Mapping[str, Any] | None = None,
    weights: Mapping[str, float] | None = None,
) -> bytes:
    """Write the report of a backtest.

    The page holds no time of writing and no random id: the same frame gives the same bytes.

    Parameters
    ----------
    frame : DataFrame
        Backtest in the contract's long format.
    out : Path, optional
        File to write besides returning the bytes.
    title : str
    notes : sequence of str
        Sentences for the reader: data source, version, what to beware of.
    importance : mapping, optional
        Feature → gain of the last fit.
    gates : sequence of mapping
        Results of `gating.evaluate`.
    canaries : sequence of mapping
        Results of `canaries.check`.
    inputs : Inputs, optional
        How many features, rest before each game, and lines that moved.
    version : mapping, optional
        Of the version that the backtest belongs to: "version", "until", "data", as `steps.plan` gives them.
    weights : mapping, optional
        Member → its weight in the ensemble, see `walk_forward.weights`.

    Raises
    ------
    ValueError
        If the frame is empty or holds a key twice.
    """
    if frame.is_empty():
        raise ValueError("a report needs at least one row: choose a span with games")
    given = inputs or Inputs()
    data = _data(frame, importance or {}, given, gates, canaries)
    alarms = [dict(gate) for gate in gates if gate["id"].startswith(LEAK)]
    page = (
        environment(Path(__file__).parent, asked=asked, verdict=verdict)
        .get_template("report.html.j2")
        .render(
            title=title,
            notes=list(notes),
            gates=[dict(gate) for gate in gates if gate["id"] not in {alarm["id"] for alarm in alarms}],
            alarms=alarms,
            canaries=[dict(canary) for canary in canaries],
            card=card(data["found"], data["folds"], version, given.features, weights),
            **data,
        )
    )
    html = page.encode()
    if out is not None:
        with atomic.whole(out) as aside:
            aside.write_bytes(html)
    return html


def _data(
    frame: pl.DataFrame,
    gain: Mapping[str, float],
    given: Inputs,
    gates: Sequence[Mapping[str, Any]],
    canaries: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    rows = metrics.wide(frame)
    found = metrics.summary(frame)
    system = metrics.leader(found["systems"])
    months, levels = report_data.months(rows, system), report_data.levels(rows, system)
    roles, rests = report_data.roles(rows, system), report_data.rests(rows, given.rest, system)
    folds, bins = report_data.folds(frame, system), report_data.reliability(frame, system)
    bands = [
        band | {"bounds": wilson(round(band["coverage"] * band["n"]), band["n"])}
        for band in found["intervals"].get(system, {}).get("bands", [])
    ]
    ranked = report_data.importance(gain)
    figures = {
        "differences": plots.differences(found["populations"]) if metrics.BASELINE in rows.columns else None,
        "months": plots.months(months, system),
        "levels": plots.bands(levels, system, "predicted points") if levels else None,
        "roles": plots.bands(roles, system, "minutes a game this season") if roles else None,
        "rests": plots.bands(rests, system, "days since the last game") if rests else None,
        "reliability": plots.reliability(bins, system) if bins["p_over"] else None,
        "coverage": plots.coverage(bands) if bands else None,
        "folds": plots.folds(folds, system),
        "importance": plots.importance(ranked) if ranked else None,
    }
    closing = {} if given.moves is None else {name: betting.closing_value(frame, name, given.moves) for name in found["sides"]}
    return {
        "found": found,
        "system": system,
        "months": months,
        "seasons": report_data.seasons(frame, rows, system),
        "markets": report_data.markets(frame, system),
        "beside": report_data.systems(rows, list(found["systems"])),
        "levels": levels,
        "roles": roles,
        "starters": report_data.starters(rows, system),
        "rests": rests,
        "folds": folds,
        "bands": bands,
        "lines": report_data.lines(rows, system),
        "closing": {name: value for name, value in closing.items() if value["n"]},
        "no_closing": _no_closing(given),
        "ranked": ranked,
        "figures": {name: None if svg is None else Markup(svg) for name, svg in figures.items()},  # noqa: S704 -- made by plots, no input in it
        "findings": findings(found, months, gates, canaries),
        "order": list(dict.fromkeys(name for part in found["populations"].values() for name in part["predictors"])),
        "asked_crps": load_gates()["report"]["crps"],
        "break_even": betting.BREAK_EVEN,
        "least_bets": betting.LEAST_BETS,
        "least_dates": LEAST_DATES,
        "prior_rows": parameters()["calibration"]["prior_rows"],
    }


def _no_closing(given: Inputs) -> str:
    """Say why there is no closing-line value."""
    if given.moves is None:
        return "the quotes of single books were not given to this report, only one line for each player-game."
    return "for no player-game of the span did a book's quotes carry two times of capture before tip-off."
