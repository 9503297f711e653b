"""Plots of a comparison of two versions; see `nba_ml.training.svg`."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nba_ml.training.svg import BAD, BASE, MODEL, MUTED, draw_svg

_BETTER_LEFT = "points; left of 0 {} is better"


def path(looks: Sequence[Mapping[str, Any]], version: str) -> str:
    """Plot how the difference of errors and its interval narrowed, slate by slate."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        bounded = [(place, look) for place, look in enumerate(looks) if look["low"] is not None]
        places = [place for place, _ in bounded]
        axes.axhline(0, color=BASE, linewidth=1.2)
        axes.fill_between(
            places, [look["low"] for _, look in bounded], [look["high"] for _, look in bounded], color=MODEL, alpha=0.18, linewidth=0
        )
        axes.plot(range(len(looks)), [look["value"] for look in looks], color=MODEL)
        # The first intervals are so wide that nothing else could be seen beside them.
        settled = bounded[len(bounded) // 5 :]
        if settled:
            reach = 1.1 * max(max(abs(look["low"]), abs(look["high"])) for _, look in settled)
            axes.set_ylim(-reach, reach)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.set_xticks(
            ticks := [int(tick) for tick in axes.get_xticks() if 0 <= tick < len(looks)], [looks[tick]["slate_date"] for tick in ticks]
        )
        axes.grid(axis="y")
        axes.tick_params(length=0)
        axes.set_ylabel(f"points; below 0 {version} is better")

    return draw_svg(3.2, draw, "Difference of mean absolute errors so far, with its interval, slate by slate")


def parts(found: Sequence[Mapping[str, Any]], version: str, title: str) -> str:
    """Plot the difference of errors of each part of the rows with its interval; those that are told from luck stand out."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axvline(0, color=BASE, linewidth=1.2)
        shown = list(reversed(found))
        for place, part in enumerate(shown):
            told = part["verdict"] != "no verdict"
            colour = MUTED if not told else MODEL if part["verdict"] == version else BAD
            if part["low"] is not None:
                axes.plot([part["low"], part["high"]], [place, place], color=colour, solid_capstyle="round", linewidth=2.4)
            axes.plot(part["value"], place, "o", color=colour, markersize=6)
        axes.set_yticks(range(len(shown)), [part["words"].partition(":")[0] for part in shown])
        axes.set_ylim(-0.7, len(shown) - 0.3)
        axes.grid(axis="x")
        axes.tick_params(length=0)
        axes.set_xlabel(_BETTER_LEFT.format(version))

    return draw_svg(0.9 + 0.28 * len(found), draw, title)
