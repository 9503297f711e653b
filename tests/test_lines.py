"""Consensus lines: which quotes count, and which never do."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_ml import lines
from nba_ml.warehouse.schema import table

DAY = date(2024, 3, 5)
TIP = datetime(2024, 3, 6, 0, 30, tzinfo=UTC)
TIPOFFS = pl.DataFrame({"game_id": ["G1"], "tipoff_utc": [TIP]}, schema={"game_id": pl.String, "tipoff_utc": pl.Datetime("us", "UTC")})


def quote(book="dk", kind="snapshot", line=20.5, minutes=-180, over=-110.0, under=-110.0, player=1, **more):
    """A quote captured `minutes` from tip-off; None = undated."""
    captured = None if minutes is None else TIP + timedelta(minutes=minutes)
    return {
        "game_date": DAY,
        "season": "2023-24",
        "game_id": "G1",
        "player_id": player,
        "player_raw": "p",
        "player_name": "P",
        "team": "BOS",
        "market": "points",
        "bookmaker": book,
        "line_kind": kind,
        "line": line,
        "over_odds": over,
        "under_odds": under,
        "odds_suspect": False,
        "captured_at": captured,
        "tipoff_utc": TIP,
        "source": "feed",
    } | more


def frame(*rows) -> pl.DataFrame:
    schema = {name: dtype for name, dtype in table("nba_raw.prop_lines").schema.items() if name != "id"}
    return pl.DataFrame(list(rows), schema=schema)


def one(*rows, **how):
    found = lines.consensus(frame(*rows), tipoffs=TIPOFFS, **how).to_dicts()
    assert len(found) <= 1
    return found[0] if found else None


def test_the_line_is_the_median_over_books():
    found = one(quote("a", line=20.5), quote("b", line=21.5), quote("c", line=23.5))
    assert (found["line"], found["line_books"], found["line_kind"], found["line_source"]) == (21.5, 3, "snapshot", "feed")


def test_a_book_counts_once_with_its_latest_quote():
    found = one(quote("a", line=30.5, minutes=-300), quote("a", line=20.5, minutes=-60), quote("b", line=20.5, minutes=-200))
    assert found["line"] == 20.5
    assert found["line_books"] == 2
    assert found["line_captured_at"] == TIP - timedelta(minutes=60)


@pytest.mark.parametrize("minutes", [0, 1, 90])
@pytest.mark.parametrize("how", [{}, {"as_of": TIP + timedelta(hours=3)}])
def test_quotes_from_tipoff_on_are_never_used(minutes, how):
    assert one(quote(line=35.5, minutes=minutes), quote(line=20.5), **how)["line"] == 20.5
    assert one(quote(kind="last_snapshot", minutes=minutes), **how) is None


def test_the_earlier_of_two_tipoffs_decides():
    late_feed = quote(minutes=10, tipoff_utc=TIP + timedelta(hours=1))
    early_feed = quote(minutes=-10, tipoff_utc=TIP - timedelta(hours=1))
    assert one(late_feed) is None
    assert one(early_feed) is None


def test_a_snapshot_without_a_known_tipoff_is_not_shown_to_be_from_before_it():
    lost = {"game_id": None, "tipoff_utc": None}
    assert one(quote(**lost)) is None
    assert one(quote(kind="last_snapshot", **lost))["line"] == 20.5
    assert one(quote(**lost), as_of=TIP - timedelta(hours=2))["line"] == 20.5


def test_what_is_captured_after_the_cut_off_is_not_known():
    early, late = quote(line=20.5, minutes=-200), quote(line=25.5, minutes=-60)
    assert one(early, late, as_of=TIP - timedelta(hours=2))["line"] == 20.5
    assert one(late, as_of=TIP - timedelta(hours=2)) is None


def test_backtest_rule_close_and_dated_together_then_undated_never_opening():
    close, undated = quote("c", "consensus_close", 22.5, None), quote("u", "undated_snapshot", 28.5, None)
    opening = quote("o", "first_column_open", 10.5, None, under=None)
    assert one(quote("a", "last_snapshot", 20.5), close, undated, opening)["line"] == 21.5
    assert one(undated, opening)["line_kind"] == "undated_snapshot"
    assert one(opening) is None


def test_replay_rule_dated_then_close_then_undated():
    as_of = TIP - timedelta(hours=2)
    close, undated = quote("c", "consensus_close", 22.5, None), quote("u", "undated_snapshot", 28.5, None)
    opening = quote("o", "first_column_open", 10.5, None)
    assert one(quote(line=20.5), close, undated, opening, as_of=as_of)["line"] == 20.5
    assert one(close, undated, opening, as_of=as_of)["line_kind"] == "consensus_close"
    assert one(undated, opening, as_of=as_of)["line_kind"] == "undated_snapshot"
    assert one(opening, as_of=as_of) is None


@pytest.mark.parametrize("kind", ["consensus_close", "undated_snapshot", "first_column_open"])
def test_live_never_uses_an_undated_quote(kind):
    assert one(quote(kind=kind, minutes=None), as_of=TIP - timedelta(hours=2), live=True) is None


def test_prices_come_from_books_at_the_line():
    found = one(quote("a", line=20.5, over=-120.0), quote("b", line=20.5, over=-130.0), quote("c", line=24.5, over=-400.0))
    assert found["line"] == 20.5
    assert -130 < found["over_odds"] < -120
    assert found["p_over_market"] == pytest.approx(0.5119, abs=0.02)


def test_a_median_price_across_the_sign_is_a_price():
    found = one(quote("a", over=105.0), quote("b", over=-125.0))
    assert abs(found["over_odds"]) >= 100


@pytest.mark.parametrize("change", [{"book": "PrizePicks"}, {"book": "underdog"}, {"book": "draftkings_pick6"}, {"odds_suspect": True}])
def test_nominal_and_suspect_prices_are_no_prices(change):
    found = one(quote(**change))
    assert found["line"] == 20.5
    assert (found["over_odds"], found["under_odds"], found["p_over_market"]) == (None, None, None)


def test_a_missing_under_gives_no_probability():
    found = one(quote(under=None))
    assert (found["over_odds"], found["p_over_market"]) == (-110.0, None)


def test_unmatched_players_are_left_out():
    assert one(quote(player=None)) is None


def test_closing_is_the_last_dated_quote_else_the_stored_close_never_undated():
    undated = quote("u", "undated_snapshot", 30.5, None)
    close = quote("c", "consensus_close", 22.5, None)

    def closing(*rows):
        found = lines.closing(frame(*rows), TIPOFFS)
        return found["closing_line"].item() if found.height else None

    assert closing(quote(line=20.5, minutes=-300), quote(line=21.5, minutes=-5), quote(line=40.5, minutes=5), close, undated) == 21.5
    assert closing(close, undated) == 22.5
    assert closing(undated) is None


def test_a_feed_that_names_the_team_of_some_names_it_of_none():
    everyone = lines.listed(frame(quote(player=1), quote(player=2, team="NYK")))
    assert everyone["team"].to_list() == ["BOS", "NYK"]
    after_the_game = lines.listed(frame(quote(player=1), quote(player=2, team=None)))
    assert after_the_game["team"].to_list() == [None, None]


quotes = st.builds(
    quote,
    book=st.sampled_from(["a", "b", "prizepicks"]),
    kind=st.sampled_from(["snapshot", "last_snapshot", "consensus_close", "undated_snapshot", "first_column_open"]),
    line=st.integers(5, 35).map(lambda points: points + 0.5),
    minutes=st.one_of(st.none(), st.integers(-400, 100)),
    over=st.sampled_from([-130.0, -110.0, 105.0, 50.0]),
    under=st.sampled_from([-120.0, 110.0, None]),
    player=st.integers(1, 2),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(quotes, min_size=1, max_size=12), st.integers(-300, -1), st.randoms())
def test_order_of_quotes_and_later_quotes_change_nothing(rows, minutes, random):
    as_of = TIP + timedelta(minutes=minutes)
    known = [row for row in rows if row["captured_at"] is None or row["captured_at"] <= as_of]
    shuffled = random.sample(known, len(known))
    whole = lines.consensus(frame(*rows), as_of=as_of, tipoffs=TIPOFFS)
    assert lines.consensus(frame(*shuffled), as_of=as_of, tipoffs=TIPOFFS).equals(whole)
    used = whole.filter(pl.col("line_captured_at").is_not_null())
    assert (used["line_captured_at"] <= as_of).all()
    assert whole.filter(pl.col("line_kind").str.contains("first_column_open")).is_empty()
    assert whole["p_over_market"].drop_nulls().is_between(0, 1).all()


@pytest.mark.real_data
def test_real_quotes_never_use_the_opening_and_cover_the_close(files_dir):
    raw = pl.read_parquet(files_dir / "player_points_props.parquet").rename({"snapshot_ts": "captured_at", "commence_ts": "tipoff_utc"})
    raw = raw.with_columns(pl.col("game_date").cast(pl.Date)).filter(pl.col("season") == "2023-24")
    found = lines.consensus(raw, tipoffs=pl.read_parquet(files_dir / "schedule.parquet").select("game_id", "tipoff_utc"))
    assert found.height == raw.filter(pl.col("player_id").is_not_null()).select("game_date", "player_id").unique().height
    assert (found["line_kind"] == "last_snapshot").all()
    assert 0.45 < found["p_over_market"].mean() < 0.55
