"""A comparison of two versions as one self-contained HTML page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from nba_ml import atomic
from nba_ml.monitoring import comparison_plots as plots
from nba_ml.training.pages import environment

FILE = "comparison.html"


def write(found: Mapping[str, Any], folder: Path) -> Path:
    """Write the page of a comparison, as `comparison.compare` returns it, to a folder; the same comparison gives the same bytes."""
    version = found["version"]
    figures = {
        "path": plots.path(found["path"], version),
        "slices": plots.parts(found["slices"], version, "Difference of mean absolute errors by kind of row"),
        "months": plots.parts(found["months"], version, "Difference of mean absolute errors by month")
        if len(found["months"]) > 1
        else None,
    }
    drawn = {name: None if svg is None else Markup(svg) for name, svg in figures.items()}  # noqa: S704 -- made by plots, no input in it
    template = environment(Path(__file__).parent).get_template("comparison.html.j2")
    page = folder / FILE
    with atomic.whole(page) as aside:
        aside.write_text(template.render(**found, parts=found["slices"], figures=drawn), encoding="utf-8")
    return page
