import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_ml.errors import BadInput
from nba_ml.sources.minutes import parse_minutes


def test_clock_text_and_numbers_mean_the_same():
    parsed = parse_minutes(pl.Series("min", ["34:12", "34.2", " 7:00 ", "0", None]))
    assert parsed.name == "min"
    assert parsed.dtype == pl.Float64
    assert parsed.to_list() == pytest.approx([34.2, 34.2, 7.0, 0.0, None])


def test_numbers_pass_through():
    assert parse_minutes(pl.Series("min", [12, None, 48], dtype=pl.Int16)).to_list() == [12.0, None, 48.0]


@pytest.mark.parametrize("bad", ["DNP", "", "34:72", "-3", "1:2:3", "34:5", "nan"])
def test_anything_else_is_named_by_row_and_value(bad):
    with pytest.raises(BadInput, match=r"column min, row 1: ") as caught:
        parse_minutes(pl.Series("min", ["12", bad]))
    assert repr(bad) in str(caught.value)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1.0])
def test_numbers_that_are_no_minutes(bad):
    with pytest.raises(BadInput, match="row 0"):
        parse_minutes(pl.Series("min", [bad, 3.0]))


def test_other_types():
    with pytest.raises(BadInput, match="Boolean"):
        parse_minutes(pl.Series("min", [True]))


@given(st.integers(0, 99), st.integers(0, 59))
def test_every_clock(minutes, seconds):
    assert parse_minutes(pl.Series("min", [f"{minutes}:{seconds:02d}"]))[0] == pytest.approx(minutes + seconds / 60)
