import re
from html.parser import HTMLParser
from types import SimpleNamespace

import polars as pl
import pytest

from nba_ml.errors import GateRefused
from nba_ml.training import canaries, gating, metrics, report_card, report_data, report_inputs
from nba_ml.training.report import report
from nba_ml.training.report_inputs import Inputs
from nba_ml.training.wording import minus, shown_by

VOID = {"meta", "br", "img", "link", "hr", "input", "path", "use", "rect"}


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.wrong, self.links, self.titles, self.words = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("src", "href", "xlink:href") and not value.startswith("#")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.titles.append(data)
        if "style" not in self.open:
            self.words.append(data)


CANARIES = [
    {"id": canaries.SHUFFLED, "value": 1.0123, "threshold": 0.98, "passed": True, "what": "Outcomes <shuffled>."},
    {"id": canaries.LATER, "value": 0, "threshold": 0, "passed": True, "what": "Later numbers multiplied."},
]


def inputs_of(frame):
    """Rest of one to eight days, and lines that moved half a point up on every fifth player."""
    facts = frame.filter(pl.col("system_id") == "xgboost")
    rest = facts.select("game_id", "player_id", rest_days=(pl.col("player_id") % 8 + 1).cast(pl.Float64))
    moved = facts.filter(pl.col("line").is_not_null() & (pl.col("player_id") % 5 == 0))
    moves = moved.select("player_id", game_date="slate_date", early_line=pl.col("line") - 0.5, closing_line="line")
    return Inputs(rest, moves)


def written(frame, out=None, gates_of=None):
    gains = {f"feature_{number}": 1 / (number + 1) for number in range(30)}
    return report(
        frame,
        out,
        title="Backtest <1>",
        notes=["Data: a made-up league & <b>nothing</b> else."],
        importance=gains,
        gates=gating.evaluate(frame if gates_of is None else gates_of),
        canaries=CANARIES,
        inputs=inputs_of(frame),
        version={"version": "20240310-abcdef01", "until": "2024-03-10", "data": {"rows": 4321, "rows_by_season": {"2023-24": 4321}}},
    )


@pytest.fixture(scope="module")
def html(backtest):
    return written(backtest).decode()


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_one_page_that_needs_nothing_else(html, page):
    assert page.links == []
    assert "<script" not in html
    assert "url(http" not in html
    assert (page.open, page.wrong) == ([], [])
    assert len(html) < 1_000_000


def test_every_part_is_there_in_order_with_the_number_first(page):
    assert page.titles == [
        "The number",
        "Allowed to see the line",
        "Month by month",
        "Error by predicted level",
        "Error by role",
        "Error by rest",
        "The 80 % interval",
        "Probability of the over",
        "Sides against the line",
        "Profit and loss",
        "Which lines are from before tip-off",
        "Leak alarms and canaries",
        "Folds",
        "What the model looks at",
        "Every system",
        "Gates",
        "Model card",
        "Words",
    ]


def test_the_figures_are_those_of_the_summary(backtest, page):
    text = " ".join(page.words)
    found = metrics.summary(backtest)["populations"]
    for part in found.values():
        for row in part["predictors"].values():
            assert f"{row['mae']:.3f}" in text
    assert f"{found['B']['common_rows']:,} player-games" in text
    assert "no verdict" in text
    assert "undated: may be from any hour" in text


def test_what_comes_from_outside_is_escaped(html):
    assert "Backtest &lt;1&gt;" in html
    assert "&lt;b&gt;nothing&lt;/b&gt;" in html


def test_the_same_backtest_gives_the_same_bytes(backtest, html, tmp_path):
    out = tmp_path / "deep" / "report.html"
    again = written(backtest.sample(fraction=1, shuffle=True, seed=9), out, gates_of=backtest)
    assert again == html.encode() == out.read_bytes()


def test_colours_come_from_the_page_so_that_dark_is_legible(html):
    drawn = re.findall(r"<svg .*?</svg>", html, flags=re.DOTALL)
    assert len(drawn) == 9
    for svg in drawn:
        assert not re.findall(r"#[0-9a-fA-F]{6}\b", svg)
        assert "var(--ink)" in svg or "var(--muted)" in svg
    assert "prefers-color-scheme: dark" in html


def test_lost_months_are_shown(make_frame):
    losing = make_frame(noise={"ensemble": 2.6})
    rows = report_data.months(metrics.wide(losing), "ensemble")
    lost = sum(row["B"]["lost"] for row in rows if row["B"])
    assert lost >= 3
    assert [row["last_10"]["n"] for row in rows if row["last_10"]] == [row["B"]["n"] for row in rows if row["B"]]
    text = report(losing, title="t").decode()
    assert f"lost {lost} of {len(rows)}" in text
    assert text.count('class="lost"') >= lost


def test_a_backtest_without_lines_systems_or_importance_still_makes_a_page(backtest):
    bare = backtest.filter(pl.col("system_id").is_in(["xgboost", "ewma_hl8"])).with_columns(
        pl.lit(None, backtest.schema[name]).alias(name)
        for name in (
            "line",
            "line_kind",
            "over_odds",
            "under_odds",
            "p_over",
            "p_over_market",
            "predicted_points_with_line",
            "q10",
            "q50",
            "q90",
        )
    )
    text = report(bare, title="t").decode()
    assert "No player-game of the span has a betting line" in text
    assert "Not shown: the backtest's file has no rest" in text
    assert "Allowed to see the line" not in text
    assert "What the model looks at" not in text


def test_one_day_makes_a_page_and_none_is_refused(backtest):
    day = backtest.filter(pl.col("slate_date") == pl.col("slate_date").min())
    assert b"The number" in report(day, title="t")
    with pytest.raises(ValueError, match="at least one row"):
        report(backtest.clear(), title="t")


def test_folds_are_those_of_trained_until(backtest):
    table = report_data.folds(backtest, "xgboost")
    assert [row["trained_until"] for row in table] == ["2023-11-30", "2023-12-28", "2024-01-25", "2024-02-22"]
    assert all(row["trained_until"] < row["from"] <= row["to"] for row in table)
    assert sum(row["rows"] for row in table) == 4000


def test_alarms_and_canaries_stand_together_with_their_values(html):
    section = html[html.index("<h2>Leak alarms and canaries</h2>") : html.index("<h2>Folds</h2>")]
    assert section.count(">quiet<") + section.count(">not judged<") + section.count(">raised<") == 12
    assert "leak." not in html[html.index("<h2>Gates</h2>") :]
    assert "1.0123" in section
    assert "at least 0.98" in section
    assert "Outcomes &lt;shuffled&gt;." in section
    silent = section.count(">not judged<")
    assert silent
    assert f"of {14 - silent} alarms and canaries" in html.lower()
    assert f"{silent} more had too few rows to judge" in html


def test_being_ahead_of_the_line_on_a_few_dates_is_no_leak(make_frame):
    knows = make_frame(days=9).with_columns(predicted_points=(pl.col("predicted_points") + pl.col("actual_points")) / 2)
    assert "the two can&#39;t be told apart" in report(knows, title="t").decode()
    assert "take it for a leak" not in report(knows, title="t").decode()
    more = make_frame(days=40).with_columns(predicted_points=(pl.col("predicted_points") + pl.col("actual_points")) / 2)
    assert "take it for a leak" in report(more, title="t").decode()


def test_the_card_tells_the_weights_of_the_ensemble(backtest):
    text = report(backtest, title="t", weights={"xgboost": 0.16, "ridge": 0.39, "two_stage": 0.45}).decode()
    assert "two-stage 45\u00a0%, ridge regression 39\u00a0%, XGBoost 16\u00a0%" in text


def test_a_canary_that_failed_is_the_reports_bad_news_and_stops_training(backtest):
    failed = [CANARIES[0] | {"value": 0.71, "passed": False}, CANARIES[1]]
    text = report(backtest, title="t", canaries=failed).decode()
    assert '<li class="bad">Leaks. Of 2 alarms and canaries, 1 failed: canary.shuffled_target.' in text
    assert 'class="text lost">failed<' in text
    with pytest.raises(GateRefused, match=r"canary\.shuffled_target is 0\.71, asked is at least 0\.98"):
        canaries.require(failed)
    canaries.require(CANARIES)


def test_the_model_card_says_what_whose_and_how_good(html, backtest):
    part = html[html.index("<h2>Model card</h2>") : html.index("<h2>Words</h2>")]
    headings = re.findall(r"<dt>(.*?)</dt>", part)
    assert headings == ["What it is", "Version", "Trained on", "Intended use", "Limits", "Figures", "People", "Owner"]
    mae = metrics.summary(backtest)["populations"]["B"]["predictors"]["ensemble"]["mae"]
    assert "20240310-abcdef01" in part
    assert "4,321 player-games until 2024-03-10" in part
    assert f"{mae:.3f}" in part


def test_bands_of_role_and_rest_hold_every_row_once(backtest):
    rows = metrics.wide(backtest)
    for table in (
        report_data.roles(rows, "ensemble"),
        report_data.starters(rows, "ensemble"),
        report_data.rests(rows, inputs_of(backtest).rest, "ensemble"),
    ):
        assert sum(row["ours"]["n"] for row in table) == rows.height
        assert all(row["ours"]["n"] == row["theirs"]["n"] for row in table)
    starter = report_data.starters(rows, "ensemble")[1]
    naive = rows.filter(pl.col("season_avg_minutes") >= 24)
    assert starter["ours"]["mae"] == pytest.approx((naive["ensemble"] - naive["actual_points"]).abs().mean())
    first = report_data.rests(rows, inputs_of(backtest).rest, "ensemble")[0]
    assert first["name"] == "1: back-to-back"
    assert (first["high"], first["ours"]["n"]) == (2.0, rows.filter(pl.col("player_id") % 8 == 0).height)
    assert report_data.rests(rows, None, "ensemble") == []


def test_closing_line_value_is_shown_or_its_absence_explained(html, backtest):
    assert "No closing-line value" not in html
    assert "moved towards" in html
    alone = report(backtest, title="t").decode()
    assert "No closing-line value: the quotes of single books were not given" in alone
    empty = Inputs(moves=inputs_of(backtest).moves.clear())
    assert "No closing-line value: for no player-game" in report(backtest, title="t", inputs=empty).decode()


def test_each_system_stands_beside_the_simple_rule_on_its_own_regulars(backtest, html):
    rows = metrics.wide(backtest)
    found = report_data.systems(rows, ["similarity"])["similarity"]
    own = metrics.population(rows, "B").drop_nulls("similarity")
    error = {name: (own[name] - own["actual_points"]).abs().mean() for name in ("similarity", "ewma_hl8")}
    assert found["n"] == own.height < metrics.population(rows, "B").height
    assert found["value"] == pytest.approx(error["similarity"] / error["ewma_hl8"])
    assert minus(found["value"]) in html


def test_months_that_ridge_won_are_shown(backtest):
    better = backtest.with_columns(
        predicted_points=pl.when(pl.col("system_id") == "ridge").then("actual_points").otherwise("predicted_points")
    )
    months = report_data.months(metrics.wide(better), "ensemble")
    assert all(row["ridge"]["lost"] for row in months if row["ridge"])
    assert f"and {len(months)} of {len(months)} to ridge" in report(better, title="t").decode()


def test_what_shows_a_line_to_be_from_before_tip_off_is_said(html):
    section = html[html.index("<h2>Which lines are from before tip-off</h2>") : html.index("<h2>Leak alarms and canaries</h2>")]
    assert section.count("its label alone") == 2
    assert section.count(">nothing<") == 1
    dated = {"line_kind": "last_snapshot", "dated": True}
    assert shown_by(dated) == "its time of capture"


def test_a_report_says_whose_games_they_are_and_how_often_a_report_was_known(backtest):
    rows = pl.DataFrame({"reported_out_points": [1.0, None, None], "reported_in_points": [None, 2.0, None]})
    simulated, files = (report_inputs.notes(SimpleNamespace(source=SimpleNamespace(name=name)), rows) for name in ("simulated", "files"))
    assert "simulated: no figure here says anything of the real league" in simulated[0]
    assert files[0] == "Source of the data: files."
    assert "For 2 of 3 player-games an injury report was known" in files[1]


def test_seasons_are_told_apart(backtest):
    two = backtest.with_columns(season=pl.when(pl.col("slate_date").dt.year() == 2023).then(pl.lit("2022-23")).otherwise("season"))
    table = report_data.seasons(two, metrics.wide(two), "ensemble")
    assert [row["season"] for row in table] == ["2022-23", "2023-24"]
    own = metrics.population(metrics.wide(two), "B").filter(pl.col("season") == "2023-24")
    error = {name: (own[name] - own["actual_points"]).abs().mean() for name in ("ensemble", "ridge")}
    assert table[1]["rivals"]["ridge"]["ratio"]["value"] == pytest.approx(error["ensemble"] / error["ridge"])
    text = report(two, title="t").decode()
    assert "Season by season" in text
    markets = report_data.markets(two, "ensemble")
    assert [row["season"] for row in markets] == ["2022-23", "2023-24", "all"]
    assert markets[2]["difference"]["n"] == sum(row["difference"]["n"] for row in markets[:2])
    assert f"{markets[2]['p_over']['log_loss']:.4f}" in text


def test_the_card_is_a_page_of_its_own(backtest):
    version = {"name": "points", "version": "20240310-abcdef01", "until": "2024-03-10"}
    data = {"rows": 4321, "rows_by_season": {"2023-24": 4321}}
    told = report_card.page(backtest, metrics.summary(backtest), version | {"data": data}, 170).decode()
    assert told.startswith("# Model points/20240310-abcdef01\n\n## What it is\n\n")
    assert "on 170 features" in told
    assert "4,321 player-games until 2024-03-10 (2023-24: 4,321)" in told
    assert {"## Intended use", "## Limits", "## Figures", "## Owner"} <= set(told.splitlines())
