"""The page docs/expectations.md: every rule of every suite. ``python -m nba_ml.validation.docs`` writes it, ``--check`` compares."""

import sys
from pathlib import Path

from nba_ml.validation.suites import folder, load_suite, suite_names

PAGE = Path("docs") / "expectations.md"


def render() -> str:
    """Write the page as text."""
    parts = [
        "# Expectations",
        "",
        "Generated from `expectations/*.yaml` by `python -m nba_ml.validation.docs`; change the rules there.",
        "",
        "**stop** ends the run. **quarantine** keeps offending rows out (nba_ops.quarantine) and goes on while their share is under the cap. "
        "**warn** is said, and nothing else. A rule that could not run stops, whatever its severity.",
    ]
    for name in suite_names():
        suite = load_suite(name)
        parts += ["", f"## {name}", "", f"{suite.description} Table: `{suite.table}`. When it stops: {suite.next_step}.", ""]
        parts += ["| rule | severity | cap | reason |", "|---|---|---|---|"]
        parts += [
            f"| `{rule.id}` | {rule.severity} | {'' if rule.cap is None else f'{rule.cap:.0%}'} | {rule.reason} |" for rule in suite.rules
        ]
    return "\n".join(parts) + "\n"


def main(arguments: list[str]) -> int:
    """Write the page, or tell whether it is up to date."""
    page = folder().parent / PAGE
    if "--check" in arguments:
        if page.exists() and page.read_text("utf-8") == render():
            return 0
        sys.stderr.write(f"{PAGE} is not what expectations/*.yaml say: run python -m nba_ml.validation.docs\n")
        return 1
    page.parent.mkdir(exist_ok=True)
    page.write_text(render(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
