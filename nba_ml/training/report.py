"""A backtest as one self-contained HTML page, for readers who have never seen the code: the honest number first."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nba_ml.training import betting, metrics, plots, report_data, wording
from nba_ml.training.findings import findings
from nba_ml.training.intervals import wilson


def report(
    frame: pl.DataFrame,
    out: Path | None = None,
    *,
    title: str,
    notes: Sequence[str] = (),
    importance: Mapping[str, float] | None = None,
    gates: Sequence[Mapping[str, Any]] = (),
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

    Raises
    ------
    ValueError
        If the frame is empty or holds a key twice.
    """
    if frame.is_empty():
        raise ValueError("a report needs at least one row: choose a span with games")
    data = _data(frame, importance or {})
    page = (
        _environment().get_template("report.html.j2").render(title=title, notes=list(notes), gates=[dict(gate) for gate in gates], **data)
    )
    html = page.encode()
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(html)
    return html


def _data(frame: pl.DataFrame, gain: Mapping[str, float]) -> dict[str, Any]:
    rows = metrics.wide(frame)
    found = metrics.summary(frame)
    system = metrics.MODEL
    months, levels = report_data.months(rows, system), report_data.levels(rows, system)
    folds, bins = report_data.folds(frame, system), report_data.reliability(frame, system)
    bands = [
        band | {"bounds": wilson(round(band["coverage"] * band["n"]), band["n"])}
        for band in found["intervals"].get(system, {}).get("bands", [])
    ]
    ranked = report_data.importance(gain)
    figures = {
        "differences": plots.differences(found["populations"]) if metrics.BASELINE in rows.columns else None,
        "months": plots.months(months, system),
        "levels": plots.levels(levels, system) if levels else None,
        "reliability": plots.reliability(bins, system) if bins["p_over"] else None,
        "coverage": plots.coverage(bands) if bands else None,
        "folds": plots.folds(folds, system),
        "importance": plots.importance(ranked) if ranked else None,
    }
    return {
        "found": found,
        "months": months,
        "levels": levels,
        "folds": folds,
        "bands": bands,
        "lines": report_data.lines(rows, system),
        "ranked": ranked,
        "figures": {name: None if svg is None else Markup(svg) for name, svg in figures.items()},  # noqa: S704 -- made by plots, no input in it
        "findings": findings(found, months),
        "order": list(dict.fromkeys(name for part in found["populations"].values() for name in part["predictors"])),
        "break_even": betting.BREAK_EVEN,
        "least_bets": betting.LEAST_BETS,
    }


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    for name in ("points", "signed", "share", "count", "interval", "band", "label", "line_kind"):
        environment.filters[name] = getattr(wording, name)
    return environment
