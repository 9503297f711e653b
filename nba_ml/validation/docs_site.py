"""The Data Docs page of one run: our verdict above, Great Expectations' own rendering below, readable without a network.

Great Expectations' site loads its style from a dozen addresses, shows neither severity nor reason, and rewrites its index. The store never
rewrites an object, so each verdict has a page of its own; a run that is repeated with the same outcome keeps its page.
"""

import html
import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import jinja2
import polars as pl

from nba_ml.calendar import NEW_YORK
from nba_ml.ids import digest
from nba_ml.storage.port import ObjectStore
from nba_ml.validation.suites import Suite

if TYPE_CHECKING:
    from nba_ml.validation.gate import Outcome

SAMPLE_ROWS = 10


def publish(
    store: ObjectStore,
    suite: Suite,
    outcomes: Sequence["Outcome"],
    masks: Mapping[str, pl.Series],
    frame: pl.DataFrame,
    keys: Sequence[str],
    result: Any,
    run: str,
    now: datetime,
) -> str:
    """Write the page and the result behind it to the store; return the page's address.

    Parameters
    ----------
    masks : mapping
        Rule id → which rows break it.
    keys : sequence of str
        Columns that name a row.
    result : ExpectationSuiteValidationResult
        What Great Expectations returned.
    """
    samples = {rule: _sample(frame, mask, keys, suite, rule) for rule, mask in masks.items() if mask.any()}
    content = digest([suite.name, run, frame.height, *(f"{item.rule} {item.effect} {item.detail}" for item in outcomes), samples])
    base = f"data_docs/{suite.name}/{slug(run)}/{content[:12]}"
    if not store.exists(f"{base}.html"):
        plain = _plain(result.to_json_dict())
        store.create(f"{base}.json", json.dumps(plain, default=str, allow_nan=False, indent=1).encode())
        store.create(f"{base}.html", _page(suite, outcomes, samples, frame.height, run, now, _gx_body(plain)).encode())
    return store.url_of(f"{base}.html")


def slug(run: str) -> str:
    """Turn the name of a run into one part of an object's name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", run).strip("-.") or "run"


def _sample(frame: pl.DataFrame, mask: pl.Series, keys: Sequence[str], suite: Suite, rule_id: str) -> dict[str, list]:
    kwargs = next(rule.kwargs for rule in suite.rules if rule.id == rule_id)
    named = (
        pl.sql_expr(kwargs["condition"]).meta.root_names() if "condition" in kwargs else kwargs.get("column_list", [kwargs.get("column")])
    )
    columns = [name for name in dict.fromkeys([*keys, *named]) if name in frame.columns]
    rows = frame.select(columns).filter(mask).head(SAMPLE_ROWS)
    return {"columns": columns, "rows": [["null" if value is None else str(value) for value in row] for row in rows.rows()]}


def _plain(value: object) -> Any:
    """Make a result fit for JSON: no NaN, no infinity, no pandas.NA, no numpy scalars."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return None if type(value).__name__ in ("NAType", "NaTType") else str(value)


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return html.escape(value, quote=False) if isinstance(value, str) else value


def _gx_body(plain: dict[str, Any]) -> str:
    """Render the result with Great Expectations, without what it would load from elsewhere."""
    from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResultSchema
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    # Its templates print values of the data as they are.
    items = [{**item, "result": _escaped(item["result"]), "exception_info": _escaped(item["exception_info"])} for item in plain["results"]]
    result = ExpectationSuiteValidationResultSchema().load({**plain, "results": items})
    text = DefaultJinjaPageView().render(ValidationResultsPageRenderer(run_info_at_end=True).render(result))
    sections = text[text.index("<body>") + len("<body>") : text.index("</body>")]
    sections = re.sub(
        r"<script.*?</script>|<nav.*?</nav>|<link[^>]*>|<img[^>]*>|<footer.*?</footer>|</?a\b[^>]*>", "", sections, flags=re.DOTALL
    )
    start = sections.find('<div class="col-md-10')
    return sections[start:] if start >= 0 else sections


@cache
def _template() -> jinja2.Template:
    text = (resources.files(__package__) / "page.html.j2").read_text("utf-8")
    return jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)


def _page(
    suite: Suite, outcomes: Sequence["Outcome"], samples: Mapping[str, dict], rows: int, run: str, now: datetime, gx_body: str
) -> str:
    order = {"stop": 0, "quarantine": 1, "warn": 2, "pass": 3}
    return _template().render(
        suite=suite,
        outcomes=sorted(outcomes, key=lambda item: order[item.effect]),
        counts={effect: sum(item.effect == effect for item in outcomes) for effect in order},
        samples=samples,
        rows=rows,
        run=run,
        checked=f"{now.astimezone(NEW_YORK):%Y-%m-%d %H:%M} New York",
        gx_body=gx_body,
        sample_rows=SAMPLE_ROWS,
    )
