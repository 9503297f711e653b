"""Figures as SVG that takes its colours and font from the page, so that they are legible in light and dark."""

import io
import re
from collections.abc import Callable, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

_TOKENS = {
    "ink": "#010101",
    "muted": "#020202",
    "grid": "#030303",
    "model": "#040404",
    "base": "#050505",
    "bad": "#060606",
    "other": "#070707",
}
"""Stand-in colours, replaced in the SVG by the page's variables of the same name."""

INK, MUTED, GRID, MODEL, BASE, BAD, OTHER = _TOKENS.values()
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "nba-ml",
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
}
_WIDTH = 8.0


def draw_svg(height: float, draw: Callable[[Figure], None], description: str) -> str:
    """Return what `draw` puts on a figure of `height` inches as one SVG element; the same drawing gives the same bytes."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, height), layout=ConstrainedLayoutEngine(h_pad=0.09, w_pad=0.06))
        FigureCanvasSVG(figure)
        draw(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'(<svg [^>]*?)(?:height|width)="[^"]*" ([^>]*?)(?:height|width)="[^"]*"', r"\1\2", svg, count=1)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for name, colour in _TOKENS.items():
        svg = svg.replace(colour, f"var(--{name})")
    svg = svg.replace("'DejaVu Sans'", "inherit").replace("DejaVu Sans", "inherit")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{description}" ', 1)


def name_axis(axes: Axes, names: Sequence[str]) -> None:
    """Write names under an axis of categories, askew where there are many."""
    axes.set_xticks(range(len(names)), names, rotation=0 if len(names) <= 8 else 60, ha="center" if len(names) <= 8 else "right")
    axes.margins(x=0.03)
    axes.grid(axis="y")
    axes.tick_params(length=0)
