"""Plots of a backtest report; see `nba_ml.training.svg`.

Every function takes a table of `report_data` and returns one SVG element, the same bytes for the same table.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from nba_ml.training.svg import BAD, BASE, INK, MODEL, MUTED, OTHER, draw_svg, name_axis
from nba_ml.training.wording import band, label


def differences(populations: Mapping[str, Mapping[str, Any]]) -> str:
    """Plot each predictor's MAE minus that of the simple rule, with intervals, one panel per population."""

    def draw(figure: Figure) -> None:
        counts = {name: sum(1 for row in part["predictors"].values() if row["against_baseline"]) for name, part in populations.items()}
        panels = figure.subplots(len(populations), 1, sharex=True, height_ratios=[max(1, count) for count in counts.values()])
        for axes, (name, part) in zip(panels, populations.items(), strict=True):
            drawn = [(key, row["against_baseline"]) for key, row in part["predictors"].items() if row["against_baseline"]]
            axes.axvline(0, color=BASE, linewidth=1.2)
            for place, (key, row) in enumerate(reversed(drawn)):
                if row["value"] is None:
                    continue
                colour = MODEL if key.startswith(("xgboost", "ensemble")) else OTHER if key.startswith("line") else MUTED
                if row["low"] is not None:
                    axes.plot([row["low"], row["high"]], [place, place], color=colour, solid_capstyle="round", linewidth=2.4)
                axes.plot(row["value"], place, "o", color=colour, markersize=6)
            axes.set_yticks(range(len(drawn)), [label(key) for key, _ in reversed(drawn)])
            axes.set_ylim(-0.7, max(len(drawn), 1) - 0.3)
            axes.grid(axis="x")
            axes.tick_params(length=0)
            axes.set_title(f"{name}: {part['definition'].partition(':')[0]} ({part['common_rows']:,} player-games)")
        panels[-1].set_xlabel("mean absolute error minus that of the weighted mean of recent games, points (left of 0 is better)")

    total = sum(len(part["predictors"]) for part in populations.values())
    return draw_svg(1.2 + 0.26 * total, draw, "Differences in mean absolute error to the weighted mean, by population")


def months(table: Sequence[Mapping[str, Any]], system: str) -> str:
    """Plot the monthly differences to the simple rules (B) and to line − 0.5 (C); months that are lost stand out."""

    def draw(figure: Figure) -> None:
        names = [row["month"] for row in table]
        rivals: tuple[tuple[str, str], ...] = (
            ("B", "the weighted mean, regulars (B)"),
            ("last_10", "the mean of the last 10 games, regulars (B)"),
            ("ridge", "ridge regression, regulars (B)"),
            ("C", "the line − 0.5, players with a line (C)"),
        )
        rivals = tuple(rival for rival in rivals if any(row[rival[0]] for row in table)) or rivals[:1]
        for axes, (name, rival) in zip(figure.subplots(len(rivals), 1, sharex=True, squeeze=False)[:, 0], rivals, strict=True):
            axes.axhline(0, color=BASE, linewidth=1.2)
            for place, row in enumerate(table):
                if row[name] is None:
                    continue
                found = row[name]["difference"]
                colour = BAD if row[name]["lost"] else MODEL
                axes.bar(place, found["value"], width=0.6, color=colour)
                if found["low"] is not None:
                    axes.plot([place, place], [found["low"], found["high"]], color=INK, linewidth=1)
            name_axis(axes, names)
            axes.set_ylabel("points")
            axes.set_title(f"{label(system)} against {rival}")

    return draw_svg(7.6, draw, "Monthly differences in mean absolute error")


def bands(table: Sequence[Mapping[str, Any]], system: str, axis: str) -> str:
    """Plot MAE and mean error by band of what `axis` names."""

    def draw(figure: Figure) -> None:
        names = [band(row) for row in table]
        for axes, (field, title) in zip(
            figure.subplots(1, 2), (("mae", "Mean absolute error"), ("mean_error", "Mean error (predicted − scored)")), strict=True
        ):
            if field == "mean_error":
                axes.axhline(0, color=BASE, linewidth=1.2)
            axes.plot(names, [row["theirs"][field] for row in table], "o--", color=MUTED, markersize=4, label=label("ewma_hl8"))
            axes.plot(names, [row["ours"][field] for row in table], "o-", color=MODEL, markersize=5, label=label(system))
            name_axis(axes, names)
            axes.set_title(title)
            axes.set_xlabel(axis)
            axes.set_ylabel("points")
            if field == "mae":
                axes.set_ylim(bottom=0)
                axes.legend(loc="lower right")

    return draw_svg(2.9, draw, f"Error by {axis}")


def reliability(bins: Mapping[str, Sequence[Mapping[str, Any]]], system: str) -> str:
    """Plot how often points were above the line against the probability that was given for it, for a system and for the market."""

    def draw(figure: Figure) -> None:
        styles = [("p_over", MODEL, "o", label(system)), ("p_over_market", OTHER, "s", "Market, recalibrated")]
        styles = [style for style in styles if bins[style[0]]]
        shown = [row for style in styles for row in bins[style[0]]]
        low = min(min(row["predicted"], row["bounds"][0]) for row in shown) - 0.02
        high = max(max(row["predicted"], row["bounds"][1]) for row in shown) + 0.02
        for place, (column, colour, marker, name) in enumerate(styles):
            axes = figure.add_subplot(1, 2, place + 1)
            axes.plot([low, high], [low, high], color=BASE, linewidth=1.2, linestyle=(0, (4, 3)))
            for row in bins[column]:
                axes.plot([row["predicted"]] * 2, row["bounds"], color=colour, linewidth=1)
            axes.plot(
                [row["predicted"] for row in bins[column]], [row["observed"] for row in bins[column]], marker, color=colour, markersize=5
            )
            axes.set(xlim=(low, high), ylim=(low, high), xlabel="given P(points > line)")
            axes.set_title(f"{name} ({sum(row['n'] for row in bins[column]):,} player-games)")
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
                axis.set_major_formatter(PercentFormatter(1, decimals=0))
            axes.grid()
            axes.tick_params(length=0)
            if place == 0:
                axes.set_ylabel("share of overs")

    return draw_svg(3.6, draw, "Calibration of the probability of the over")


def coverage(bands: Sequence[Mapping[str, Any]]) -> str:
    """Plot, by band of predicted points, the share of results inside the 80 % interval and the interval's width."""

    def draw(figure: Figure) -> None:
        names = [band(row) for row in bands]
        axes, widths = figure.subplots(1, 2)
        axes.axhline(0.8, color=BASE, linewidth=1.2)
        for place, row in enumerate(bands):
            axes.plot([place, place], row["bounds"], color=MODEL, linewidth=2.4, solid_capstyle="round")
            axes.plot(place, row["coverage"], "o", color=MODEL, markersize=6)
        lowest = min([0.7, *(row["bounds"][0] - 0.02 for row in bands)])
        axes.set(
            ylim=(lowest, max(0.9, *(row["bounds"][1] + 0.02 for row in bands))),
            title="Results inside the interval",
            xlabel="predicted points",
        )
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        widths.bar(range(len(bands)), [row["width"] for row in bands], width=0.6, color=MODEL)
        widths.set(title="Width of the interval", xlabel="predicted points", ylabel="points")
        for part in (axes, widths):
            name_axis(part, names)

    return draw_svg(2.8, draw, "Coverage of the 80 % intervals by predicted level")


def folds(table: Sequence[Mapping[str, Any]], system: str) -> str:
    """Plot the MAE of each fold, for a system and for the simple rule, on population A."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        shown = [row for row in table if row["A"]]
        names = [row["from"] for row in shown]
        axes.plot(names, [row["A"]["theirs"] for row in shown], "o--", color=MUTED, markersize=4, label=label("ewma_hl8"))
        axes.plot(names, [row["A"]["ours"] for row in shown], "o-", color=MODEL, markersize=5, label=label(system))
        name_axis(axes, names)
        axes.set(ylabel="mean absolute error, points", xlabel="first date of the fold")
        axes.legend(loc="best")

    return draw_svg(2.8, draw, "Mean absolute error by fold")


def importance(ranked: Sequence[tuple[str, float]]) -> str:
    """Plot the share of all gain that each feature earns."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.barh([name for name, _ in reversed(ranked)], [share for _, share in reversed(ranked)], color=MODEL, height=0.65)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_xlabel("share of the gain of all splits")
        axes.grid(axis="x")
        axes.tick_params(length=0)
        axes.margins(y=0.02)

    return draw_svg(0.8 + 0.21 * len(ranked), draw, "Feature importance by gain")
