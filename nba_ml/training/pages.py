"""Pages for people: how their templates write numbers and names."""

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nba_ml.training import wording

_FILTERS = ("points", "signed", "share", "count", "interval", "band", "label", "line_kind", "minus", "shown_by", "unbroken")


def environment(folder: Path, **filters: Callable[..., object]) -> Environment:
    """Return the templates of a folder, which may include those of this one, with the filters of `wording` and others."""
    found = Environment(
        loader=FileSystemLoader([folder, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {name: getattr(wording, name) for name in _FILTERS} | filters
    return found
