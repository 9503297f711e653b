"""Messages: what has to be told in one channel as one Block Kit payload, grouped by slate, the most severe first.

However much there is to tell, it is one message: what does not fit is listed by a line each, and then counted.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from nba_ml.calendar import NEW_YORK
from nba_ml.notices import blocks
from nba_ml.notices.blocks import Block
from nba_ml.notices.tellings import SEVERITIES, Telling, opened_at

Payload = dict[str, Any]

IN_FULL = 7
"""Tellings that are shown in full: each takes at most 5 blocks, and its slate's headline one more."""

LISTED = 20
"""Tellings that get a line each after these."""

_SIGNS = {"urgent": ":red_circle:", "warning": ":large_yellow_circle:", "notice": ":large_blue_circle:"}
_OVER = ":white_check_mark:"
_LATE = timedelta(minutes=30)
_COMMAND_LAST = re.compile(r"(?:([^`]*:)\s)?((?:nba-ml|make|airflow) [^`]+)")
_LABELS = {"/required_actions": "Answer", "/tasks/": "Log", "/runs/": "Run"}
_WHAT = 2400
_NEXT_STEP = 2000


def compose(tellings: Sequence[Telling], environment: str, now: datetime, *, remark: str | None = None) -> Payload:
    """Make one message.

    Parameters
    ----------
    tellings : sequence of Telling
        What has to be told in one channel; at least one.
    environment : str
        dev, staging or production.
    now : datetime
        The present moment.
    remark : str, optional
        Said below the message.

    Returns
    -------
    dict
        What Slack's incoming webhook takes: "text" for notifications and screen readers, "blocks", and no previews of links.
    """
    ordered = sorted(tellings, key=_place)
    shown, rest = ordered[:IN_FULL], ordered[IN_FULL:]
    made: list[Block] = []
    for slate, group in groupby(shown, key=lambda telling: telling.row["slate_date"]):
        made.append(blocks.header(f"{_about(slate)} · {environment}"))
        for telling in group:
            made += _in_full(telling, now)
        made.append(blocks.divider())
    if rest:
        lines = [f"{_sign(each)} {blocks.escaped(_one_line(each), 120)}" for each in rest[:LISTED]]
        more = len(rest) - len(lines)
        made.append(blocks.section("\n".join([f"*And {len(rest)} more*", *lines, *([f"… and {more} more"] if more else [])])))
    small = [f"All that is open: {blocks.code('nba-ml alerts', 40)}"]
    if remark:
        small.append(blocks.escaped(remark, 500))
    made.append(blocks.context(*small))
    return {"text": _summary(ordered, environment), "blocks": made, "unfurl_links": False, "unfurl_media": False}


def about_refused(number: int, environment: str) -> Payload:
    """Make the message that says that alerts could not be shown; it holds nothing of them."""
    said = f"{environment}: Slack refused {number} alerts for what they say: `nba-ml alerts` lists them."
    return {"text": said, "blocks": [blocks.section(said)], "unfurl_links": False, "unfurl_media": False}


def _place(telling: Telling) -> tuple[Any, ...]:
    """Put what is about no slate first, then the newest slate; within a slate the most severe first, and what is over last."""
    row = telling.row
    slate = row["slate_date"]
    day = -slate.toordinal() if slate else -date.max.toordinal()
    return (day, telling.kind == "over", -SEVERITIES.index(row["severity"]), opened_at(row), row["cause"])


def _in_full(telling: Telling, now: datetime) -> list[Block]:
    row = telling.row
    made = [blocks.section(f"{_sign(telling)} *{_headline(telling, now)}*\n{blocks.escaped(row['what'], _WHAT)}")]
    if telling.kind == "over":
        made = [blocks.section(f"{_OVER} *{_headline(telling, now)}*\n{blocks.escaped(row['resolution'], _WHAT)}")]
        made.append(blocks.context(f"It was: {blocks.escaped(row['what'], blocks.CONTEXT // 4)}", *_where(telling)))
        return made
    facts = {
        "Since": _moment(opened_at(row)),
        "Blocks": row["blocks"],
        "Figure": _figure(row["figure"]),
        "Asked": _figure(row["threshold"]),
    }
    known = {name: value for name, value in facts.items() if value and (telling.kind == "open" or name != "Since")}
    if known:
        made.append(blocks.fields(known))
    made.append(blocks.section(f"*Next step*\n{_step(row['next_step'])}"))
    made.append(blocks.context(*_where(telling)))
    return made


def _step(text: str) -> str:
    """Return a command, alone or at the end of a sentence, as a block of code; else the sentence, in which Slack shows `this` as code."""
    found = _COMMAND_LAST.fullmatch(text)
    if not found:
        return blocks.escaped(text, _NEXT_STEP)
    said = f"{blocks.escaped(found[1], _NEXT_STEP // 2)}\n" if found[1] else ""
    return said + blocks.code_block(found[2], _NEXT_STEP // 2)


def _where(telling: Telling) -> list[str]:
    address = telling.row["link"]
    label = next((label for part, label in _LABELS.items() if address and part in address), "Report")
    return [*([blocks.link(address, label)] if address else []), blocks.code(telling.row["cause"], 200)]


def _headline(telling: Telling, now: datetime) -> str:
    row = telling.row
    if telling.kind == "over":
        return f"Over after {_span(row['resolved_at'] - opened_at(row))}"
    name = row["severity"].capitalize()
    if telling.kind == "open" and row["count"] > 1:
        return f"{name}, {row['count']} times"
    late = now - opened_at(row)
    return f"{name}, told {_span(late)} late" if telling.kind == "open" and not telling.told and late > _LATE else name


def _sign(telling: Telling) -> str:
    return _OVER if telling.kind == "over" else _SIGNS[telling.row["severity"]]


def _one_line(telling: Telling) -> str:
    row = telling.row
    said = row["resolution"] if telling.kind == "over" else row["what"]
    return f"{row['slate_date']}: {said}" if row["slate_date"] else said


def _summary(ordered: Iterable[Telling], environment: str) -> str:
    ordered = list(ordered)
    first = max(ordered, key=lambda each: (each.kind != "over", SEVERITIES.index(each.row["severity"])))
    said = f"{environment}: {'over: ' if first.kind == 'over' else ''}{_one_line(first)}"
    return blocks.escaped(f"{said} (and {len(ordered) - 1} more)" if len(ordered) > 1 else said, 600)


def _about(slate: date | None) -> str:
    return f"Slate of {slate:%A}, {slate.day} {slate:%B %Y}" if slate else "NBA predictions"


def _moment(moment: datetime) -> str:
    local = moment.astimezone(NEW_YORK)
    return f"{local:%a} {local.day} {local:%b, %H:%M} New York"


def _span(span: timedelta) -> str:
    minutes = max(round(span.total_seconds() / 60), 1)
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def _figure(value: float | None) -> str | None:
    return None if value is None else f"{value:.4g}"
