"""Plots of the weekly report; see `nba_ml.training.svg`. None without the rows for one."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from nba_ml.training.svg import BAD, BASE, MODEL, MUTED, OTHER, draw_svg

Rows = Sequence[Mapping[str, Any]]

_LEAST_SLATES = 2


def lead(season: Rows) -> str | None:
    """Plot the error's difference to the moving average and, where there are lines, to the line, over 30 slates, with intervals."""
    panels = [
        (_of(season, 30, "all", "vs_baseline_low"), "vs_baseline", "Against the moving average, all rows"),
        (_of(season, 30, "lined", "vs_line_low"), "vs_line", "Against the line, rows with a line"),
    ]
    shown = [panel for panel in panels if len(panel[0]) >= _LEAST_SLATES]
    if not shown:
        return None

    def draw(figure: Figure) -> None:
        drawn = figure.subplots(1, len(shown), squeeze=False)[0]
        for axes, (rows, name, title) in zip(drawn, shown, strict=True):
            places = range(len(rows))
            axes.axhline(0, color=BASE, linewidth=1.2)
            bounds = [[row[f"{name}_{end}"] for row in rows] for end in ("low", "high")]
            axes.fill_between(places, *bounds, color=MODEL, alpha=0.18, linewidth=0)
            axes.plot(places, [row[name] for row in rows], color=MODEL)
            axes.set_title(title)
            axes.set_ylabel("points; below 0 is better")
            _dates(axes, rows)

    return draw_svg(2.9, draw, "Difference of mean absolute errors over the last 30 slates")


def errors(season: Rows) -> str | None:
    """Plot the error of the published number, of the moving average and of the line over the last 7 slates."""
    whole, lined = _of(season, 7, "all", "mae"), _of(season, 7, "lined", "line_mae")
    if len(whole) < _LEAST_SLATES:
        return None

    def draw(figure: Figure) -> None:
        drawn = figure.subplots(1, 2 if len(lined) >= _LEAST_SLATES else 1, squeeze=False)[0]
        for axes, rows, rival, name in zip(
            drawn, (whole, lined), ("baseline_mae", "line_mae"), ("moving average", "the line"), strict=False
        ):
            places = range(len(rows))
            axes.plot(places, [row[rival] for row in rows], "--", color=MUTED if rival == "baseline_mae" else OTHER, label=name)
            axes.plot(places, [row["mae"] for row in rows], color=MODEL, label="published")
            axes.set_title("All rows" if rival == "baseline_mae" else "Rows with a line")
            axes.set_ylabel("mean absolute error, points")
            axes.legend(loc="best")
            _dates(axes, rows)

    return draw_svg(2.9, draw, "Mean absolute error over the last 7 slates")


def shares(season: Rows) -> str | None:
    """Plot who was accounted for and who had a line, over 7 slates, and the share of results inside the 80 % interval, over 30."""
    people, inside = _of(season, 7, "all", "accounted"), _of(season, 30, "all", "inside")
    if len(people) < _LEAST_SLATES or len(inside) < _LEAST_SLATES:
        return None

    def draw(figure: Figure) -> None:
        population, intervals = figure.subplots(1, 2)
        places = range(len(people))
        population.axhline(0.95, color=BAD, linewidth=1)
        population.plot(places, [row["accounted"] for row in people], color=MODEL, label="accounted for")
        population.plot(places, [row["line_coverage"] for row in people], "--", color=OTHER, label="with a line")
        population.set(title="Players", ylim=(0, 1.03))
        population.legend(loc="best")
        _dates(population, people)
        intervals.axhline(0.8, color=BASE, linewidth=1.2)
        intervals.plot(range(len(inside)), [row["inside"] for row in inside], color=MODEL)
        intervals.set(title="Results in the 80 % interval", ylim=(0.65, 0.95))
        _dates(intervals, inside)
        for axes in (population, intervals):
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))

    return draw_svg(2.7, draw, "Players accounted for, lines, and results inside the interval")


def _of(season: Rows, size: int, population: str, needed: str) -> list[Mapping[str, Any]]:
    return [row for row in season if row["window_slates"] == size and row["population"] == population and row[needed] is not None]


def _dates(axes: Axes, rows: Rows) -> None:
    """Name the slates under an axis, a few of them."""
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    ticks = [int(tick) for tick in axes.get_xticks() if 0 <= tick < len(rows)]
    axes.set_xticks(ticks, [str(rows[tick]["slate_date"]) for tick in ticks])
    axes.grid(axis="y")
    axes.tick_params(length=0)
