"""Draws messages as Slack shows them, for docs/alerts.md: ``python scripts/slack_pictures.py``, with a chromium on the PATH.

The messages are made by the platform's own functions from alerts that are made up here; only the drawing imitates Slack.
"""

import html
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from nba_ml.notices.messages import compose
from nba_ml.notices.tellings import Telling

FOLDER = Path("docs/screenshots")
NOW = datetime(2026, 1, 16, 22, 41, tzinfo=UTC)
SLATE = date(2026, 1, 16)
RUN = "https://airflow.example.com/dags/nba_predict/runs/slate__2026-01-16/tasks"

_DOTS = {"red_circle": "#e01e5a", "large_yellow_circle": "#ecb22e", "large_blue_circle": "#1d9bd1"}

_STYLE = """
body { margin: 0; background: #fff; font: 15px/22px Lato, "DejaVu Sans", Arial, sans-serif; color: #1d1c1d; width: 660px; }
main { display: flex; gap: 10px; padding: 14px 20px 18px; }
.avatar { flex: none; width: 36px; height: 36px; border-radius: 6px; background: #1d428a; color: #fff; font-weight: 700; text-align: center;
  line-height: 36px; font-size: 13px; }
.who { font-weight: 900; } .app { background: #ebebeb; color: #616061; font-size: 10px; font-weight: 700; padding: 1px 4px; border-radius: 2px; }
.time, .context { color: #616061; font-size: 12px; line-height: 18px; }
.blocks { flex: 1; min-width: 0; overflow-wrap: anywhere; } .blocks > * { margin: 4px 0 8px; }
h3 { font-size: 18px; line-height: 24px; margin: 6px 0; } hr { border: 0; border-top: 1px solid #dddddd; }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 16px; }
.context > span { margin-right: 10px; }
code { font: 12px/18px "DejaVu Sans Mono", monospace; color: #c01343; background: #f8f8f8; border: 1px solid #ddd; border-radius: 3px;
  padding: 1px 3px; }
.context code { font-size: 11px; }
pre { font: 12px/18px "DejaVu Sans Mono", monospace; background: #f8f8f8; border: 1px solid #ddd; border-radius: 4px; padding: 8px; margin: 4px 0;
  white-space: pre-wrap; }
a { color: #1264a3; text-decoration: none; }
.dot { display: inline-block; width: 14px; height: 14px; border-radius: 50%; vertical-align: -2px; margin-right: 2px; }
.tick { display: inline-block; width: 16px; height: 16px; border-radius: 3px; background: #2bac76; color: #fff; font-size: 12px; line-height: 16px;
  text-align: center; margin-right: 2px; }
"""


def row(**changes: Any) -> dict[str, Any]:
    """Return an alert as nba_ops.alerts holds it."""
    opened = changes.get("opened_at", NOW - timedelta(seconds=40))
    blank = dict.fromkeys(("blocks", "link", "figure", "threshold", "slate_date", "resolved_at", "resolution"))
    return blank | {"count": 1, "first_at": opened, "opened_at": opened} | changes


FAILED = row(
    cause=f"task.nba_predict.score:{SLATE}",
    severity="urgent",
    what=(
        "Task score of nba_predict failed: ArtefactError: models/points/20260113-5e0c41d2/model.ubj has another sha256 than its manifest says: "
        "nothing is scored with it. Go back to the version before it: nba-ml release rollback --reason TEXT"
    ),
    next_step=f"Mend what it says and clear the task, or by hand: nba-ml predict --slate {SLATE}",
    blocks="The predictions of the slate are not published.",
    link=f"{RUN}/score?try_number=1",
    slate_date=SLATE,
)
BURST = row(
    cause="burst.model_shift:20260113-5e0c41d2",
    severity="urgent",
    what=(
        "The slate of 2026-01-16 is not published: burst.model_shift: mean number divided by that of the baseline of xgboost of "
        "20260113-5e0c41d2 against ewma_hl8 is 0.618 over 214 rows, asked is between 0.85 and 1.15."
    ),
    next_step="nba-ml release rollback --reason TEXT",
    blocks="The predictions of the slate.",
    figure=0.6184,
    threshold=0.85,
    slate_date=SLATE,
)
LATE = row(
    cause=f"deadline.nba_predict:{SLATE}",
    severity="urgent",
    what="nba_predict for the slate of 2026-01-16 was not done by 17:00 New York. It is running.",
    next_step=f"nba-ml predict --slate {SLATE}",
    blocks="The predictions of the slate are not published.",
    link="https://airflow.example.com/dags/nba_predict/runs/slate__2026-01-16",
    slate_date=SLATE,
    opened_at=NOW - timedelta(minutes=41),
    count=2,
)
GRADES = row(
    cause="task.nba_grade.grade:2026-01-15",
    severity="warning",
    what="Task grade of nba_grade failed: Unavailable: the warehouse was held by process 4711 for 60 s; see who holds it, then clear the task",
    next_step="nba-ml grade --slate 2026-01-15",
    blocks="The slate is not graded; guards and reports do without it.",
    link="https://airflow.example.com/dags/nba_grade/runs/r/tasks/grade?try_number=3",
    slate_date=date(2026, 1, 15),
)
OVER = FAILED | {
    "resolved_at": NOW,
    "opened_at": NOW - timedelta(minutes=52),
    "resolution": f"A run of nba_predict for the slate of {SLATE} succeeded.",
}

PICTURES = {
    "slack-failure": [Telling(FAILED, "open", "urgent")],
    "slack-grouped": [Telling(each, "open", "urgent", told=each["count"] > 1) for each in (BURST, LATE, GRADES)],
    "slack-recovery": [Telling(OVER, "over", "urgent", told=True)],
}


def _mrkdwn(text: str) -> str:
    """Draw Slack's own markup, in which &, < and > are escaped already."""
    kept: list[str] = []

    def keep(drawn: str) -> str:
        kept.append(drawn)
        return f"\0{len(kept) - 1}\0"

    text = re.sub(r"```(.+?)```", lambda found: keep(f"<pre>{found[1]}</pre>"), text, flags=re.DOTALL)
    text = re.sub(r"`([^`\n]+)`", lambda found: keep(f"<code>{found[1]}</code>"), text)
    text = re.sub(r"<(https?://[^|>]+)\|([^>]+)>", lambda found: keep(f'<a href="{found[1]}">{found[2]}</a>'), text)
    text = re.sub(r":(red_circle|large_yellow_circle|large_blue_circle):", lambda found: _dot(found[1]), text)
    text = text.replace(":white_check_mark:", '<span class="tick">✓</span>')
    text = re.sub(r"\*([^*\n]+)\*", r"<b>\1</b>", text).replace("\n", "<br>").replace("<br>\0", "\0")
    return re.sub("\0(\\d+)\0", lambda found: kept[int(found[1])], text)


def _dot(name: str) -> str:
    return f'<span class="dot" style="background:{_DOTS[name]}"></span>'


def _block(block: dict[str, Any]) -> str:
    match block:
        case {"type": "header", "text": {"text": text}}:
            return f"<h3>{html.escape(text)}</h3>"
        case {"type": "section", "fields": fields}:
            return '<div class="fields">' + "".join(f"<div>{_mrkdwn(field['text'])}</div>" for field in fields) + "</div>"
        case {"type": "section", "text": {"text": text}}:
            return f"<div>{_mrkdwn(text)}</div>"
        case {"type": "context", "elements": elements}:
            return '<div class="context">' + "".join(f"<span>{_mrkdwn(element['text'])}</span>" for element in elements) + "</div>"
    return "<hr>"


def page(payload: dict[str, Any]) -> str:
    """Return a message as a page."""
    head = '<div><span class="who">NBA predictions</span> <span class="app">APP</span> <span class="time">5:41 PM</span></div>'
    drawn = "".join(map(_block, payload["blocks"]))
    body = f'<main><div class="avatar">NBA</div><div class="blocks">{head}{drawn}</div></main>'
    return f'<!doctype html><meta charset="utf-8"><style>{_STYLE}</style>{body}'


def main() -> int:
    """Draw every picture."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        print("there is no chromium on the PATH: install one, then run this again", file=sys.stderr)
        return 2
    from PIL import Image, ImageChops

    with tempfile.TemporaryDirectory() as folder:
        for name, tellings in PICTURES.items():
            source, target = Path(folder) / f"{name}.html", FOLDER / f"{name}.png"
            source.write_text(page(compose(tellings, "production", NOW)), "utf-8")
            options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=700,1400", f"--screenshot={target.resolve()}"]
            subprocess.run([browser, *options, source.as_uri()], check=True, capture_output=True)  # noqa: S603
            with Image.open(target) as drawn:
                picture = drawn.convert("RGB")
            box = ImageChops.difference(picture, Image.new("RGB", picture.size, "white")).getbbox()
            picture.crop((0, 0, 700, box[3] + 18)).quantize(256).save(target, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
