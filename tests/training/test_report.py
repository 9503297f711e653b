import re
from html.parser import HTMLParser

import polars as pl
import pytest

from nba_ml.training import gating, metrics, report_data
from nba_ml.training.report import report

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


@pytest.fixture(scope="module")
def html(backtest):
    gains = {f"feature_{number}": 1 / (number + 1) for number in range(30)}
    notes = ["Data: a made-up league & <b>nothing</b> else."]
    return report(backtest, title="Backtest <1>", notes=notes, importance=gains, gates=gating.evaluate(backtest)).decode()


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
        "Month by month",
        "Error by predicted level",
        "The 80 % interval",
        "Probability of the over",
        "Sides against the line",
        "Which lines are from before tip-off",
        "Folds",
        "What the model looks at",
        "Every system",
        "Gates",
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
    gains = {f"feature_{number}": 1 / (number + 1) for number in range(30)}
    notes = ["Data: a made-up league & <b>nothing</b> else."]
    out = tmp_path / "deep" / "report.html"
    again = report(
        backtest.sample(fraction=1, shuffle=True, seed=9),
        out,
        title="Backtest <1>",
        notes=notes,
        importance=gains,
        gates=gating.evaluate(backtest),
    )
    assert again == html.encode() == out.read_bytes()


def test_colours_come_from_the_page_so_that_dark_is_legible(html):
    drawn = re.findall(r"<svg .*?</svg>", html, flags=re.DOTALL)
    assert len(drawn) == 7
    for svg in drawn:
        assert not re.findall(r"#[0-9a-fA-F]{6}\b", svg)
        assert "var(--ink)" in svg or "var(--muted)" in svg
    assert "prefers-color-scheme: dark" in html


def test_lost_months_are_shown(make_frame):
    losing = make_frame(noise={"xgboost": 2.6})
    rows = report_data.months(metrics.wide(losing), "xgboost")
    lost = sum(row["B"]["lost"] for row in rows if row["B"])
    assert lost >= 3
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
