"""What runs, as people read it: a sentence for each environment, a timeline, the log and the versions."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from nba_ml.cli.output import print_table, results

_SHADES = {"shadow": "░", "10 %": "▒", "50 %": "▓", "100 %": "█", "rolled_back": "×", "rejected": "×", "retired": "·", "earlier": "·"}
_STYLES = {"shadow": "dim", "10 %": "yellow", "50 %": "cyan", "100 %": "green", "rolled_back": "red", "rejected": "red"}
_BAR = 14
_GATES = {True: "passed", False: "refused", None: "not known"}
_ENTRIES = 12
"""How many of the last entries the timeline shows."""


def print_answer(result: Mapping[str, Any]) -> None:
    """Say what a decision came to."""
    told = f"{result['version']} is {result['state']} (entry {result['number']})"
    parts = [f"{result['current']} serves" if result["current"] else "nothing serves yet"]
    parts += [f"{result['challenger']} challenges it"] if result["challenger"] else []
    parts += [f"shadows: {', '.join(result['shadows'])}"] if result["shadows"] else []
    parts += ["pinned"] if result["pinned"] else []
    results.print(f"{told}; {', '.join(parts)}.", soft_wrap=True)
    if result["next"]:
        results.print(f"next: {result['next']}", markup=False, soft_wrap=True)


def print_release(result: Mapping[str, Any]) -> None:
    """Print the answer of `nba_ml.registry.showing.show`."""
    _say(result["environment"], result)
    for environment, running in result["elsewhere"].items():
        _say(environment, running)
    if result["history"]:
        results.print(_timeline(result["timeline"], list(reversed(result["history"]))))
    print_table(
        "Release log",
        ["entry", "at (UTC)", "action", "version", "state", "takes rows of", "by", "reason"],
        [
            [
                row["number"],
                row["created_at"][:16],
                row["action"],
                row["version"],
                row["state"],
                row["previous_version"],
                row["actor"],
                row["reason"],
            ]
            for row in result["history"]
        ],
    )
    print_table(
        "Versions",
        ["version", "state", "trained until", "gates"],
        [[row["version"], row["state"], row["trained_until"], _GATES[row["passed"]]] for row in result["versions"]],
    )
    for row in result["versions"]:
        if row["damage"]:
            results.print(f"{row['version']} is damaged: {row['damage']}", style="red", markup=False, soft_wrap=True)


def _say(environment: str, running: Mapping[str, Any]) -> None:
    if running["current"] is None:
        results.print(f"Nothing is released in {environment}.")
        return
    parts = [f"{running['serving']} runs in {environment} since {_why(running['current'])}"]
    if running["challenge"]:
        parts.append(f"{running['challenger']} predicts {running['share']:.0%} of the rows since {_why(running['challenge'])}")
    if running["shadows"]:
        parts.append(f"unpublished shadows: {', '.join(running['shadows'])}")
    if running["pin"]:
        parts.append(f"pinned since {_why(running['pin'])}")
    results.print("; ".join(parts) + ".", markup=False, soft_wrap=True)


def _why(entry: Mapping[str, Any]) -> str:
    return f"{entry['created_at'][:16]} UTC ({entry['actor']}: {entry['reason']})"


def _timeline(spans: Sequence[Mapping[str, Any]], entries: Sequence[Mapping[str, Any]]) -> Table:
    """Draw one row per version and one column per entry: what each version was from that entry to the next."""
    shown = entries[-_ENTRIES:]
    table = Table(title="Timeline", title_justify="left", header_style="bold", padding=(0, 1, 0, 0), box=None, pad_edge=False)
    table.add_column("version")
    for entry in shown:
        table.add_column(f"{entry['number']} · {entry['created_at'][5:10]}", min_width=_BAR)
    for version in dict.fromkeys(span["version"] for span in spans):
        own = [span for span in spans if span["version"] == version]
        cells = [_cell(own, entry["number"]) for entry in shown]
        if any(cell.plain.strip() for cell in cells):
            table.add_row(version, *cells)
    return table


def _cell(spans: Sequence[Mapping[str, Any]], number: int) -> Text:
    """Return what a version was after one entry: a bar whose shade is its share, with its state, or its share of the rows, where that begins."""
    now = [span for span in spans if span["from_number"] <= number and (span["until_number"] is None or number < span["until_number"])]
    if not now or now[0]["state"] == "candidate":
        return Text(" " * _BAR)
    state, shade = now[0]["state"], _SHADES[now[0]["state"]]
    label = f"{now[0]['share']:.0%}".replace("%", " %") if state == "100 %" else state
    told = f"{shade} {label} " if now[0]["from_number"] == number else ""
    return Text(told + shade * (_BAR - len(told)), style=_STYLES.get(state, ""))
