"""Named vectors out of either form, and every refusal with its row."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from nba_ml.errors import BadInput
from nba_ml.sources.feature_store.vectors import excluded, value_columns, vectors

TABLE = "p.d.ml_feature_store_v2"
NAMES = ["form", "vegas_line", "rest"]
DAY, NEXT = date(2024, 1, 5), date(2024, 1, 6)
EARLY, LATE = datetime(2024, 1, 5, 9, tzinfo=UTC), datetime(2024, 1, 5, 12, tzinfo=UTC)


def row(day=DAY, player="ann", values=(1.0, 2.0, 3.0), names=NAMES, version="v2", **more):
    return {"game_date": day, "player_lookup": player, "feature_version": version, "features": values, "feature_names": names} | more


def frame(*rows):
    types = {"features": pl.List(pl.Float64), "feature_names": pl.List(pl.String), "default_indices": pl.List(pl.Int64)}
    return pl.DataFrame(rows, schema_overrides={name: dtype for name, dtype in types.items() if name in rows[0]}, infer_schema_length=None)


def read(*rows, version=None, names=("a", "b", "c"), exclude="vegas"):
    return vectors(frame(*rows), TABLE, version=version, default_names=names, exclude=exclude)


def in_columns(found: pl.DataFrame) -> pl.DataFrame:
    return found.with_columns(pl.col("features").list.get(place).alias(f"feature_{place}_value") for place in range(3)).drop("features")


def test_arrays_and_columns_give_the_same_named_vectors():
    arrays = frame(row(), row(player="bob", values=(4.0, float("nan"), 6.0)))
    for raw in (arrays, in_columns(arrays)):
        found = vectors(raw, TABLE, version=None, default_names=[], exclude="vegas")
        assert (found.version, found.names) == ("v2", tuple(NAMES))
        assert found.rows["values"].to_list() == [[1, 2, 3], [4, None, 6]]
        assert found.rows["defaulted_features"].to_list() == [0, 0]
    nameless = vectors(in_columns(arrays).drop("feature_names"), TABLE, version=None, default_names=["x", "y", "z", "w"], exclude="")
    assert nameless.names == ("x", "y", "z")
    assert nameless.rows["defaulted_features"].to_list() == [0, 1]


def test_ten_and_more_columns_are_taken_in_the_order_of_their_numbers():
    there = {f"feature_{number}_value": "FLOAT64" for number in (*range(10, 12), *range(10))}
    raw = pl.DataFrame(
        [{"game_date": DAY, "player_lookup": "ann", "feature_version": "v"} | {name: float(name.split("_")[1]) for name in there}]
    )
    names = [f"name_{number}" for number in range(12)]
    found = vectors(raw, TABLE, version=None, default_names=names, exclude="")
    assert found.rows["values"].to_list() == [[float(number) for number in range(12)]]
    assert [column.name for column in value_columns(there, TABLE)] == [f"feature_{number}_value" for number in range(12)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row(), row(NEXT, "bob", version="v3")], r"row of 2024-01-06, player bob, field feature_version: is v3, and v2 on 2024-01-05"),
        ([row(), row(NEXT, "bob", values=(1.0, 2.0))], r"row of 2024-01-06, player bob, field features: holds 2 values for 3 names"),
        ([row(), row(NEXT, "bob", values=None)], r"player bob, field features: holds 0 values for 3 names"),
        (
            [row(), row(NEXT, "bob", names=["form", "rest", "vegas_line"])],
            r"row of 2024-01-06, player bob, field feature_names: position 1 is rest",
        ),
        ([row(), row(NEXT, "bob", names=["form"])], r"player bob, field feature_names: position 1 is nothing, and vegas_line"),
        ([row(), row(NEXT, "bob", names=None)], r"player bob, field feature_names: position 0 is nothing"),
        ([row(names=["form", "form", "rest"])], r"field feature_names: form is there more than once"),
        ([row(), row(values=(7.0, 8.0, 9.0))], r"row of 2024-01-05, player ann, field player_lookup: the row is there more than once"),
    ],
)
def test_refused_by_name(rows, said):
    with pytest.raises(BadInput, match=said):
        read(*rows)


def test_a_chosen_version_leaves_the_others_out():
    found = read(row(), row(NEXT, "bob", version="v3"), version="v3")
    assert (found.version, found.rows["player_lookup"].to_list()) == ("v3", ["bob"])
    assert read(row(), version="v9") is None


def test_of_two_rows_the_one_written_last_counts():
    late = row(values=(7.0, 8.0, 9.0), created_at=EARLY, updated_at=LATE)
    found = read(late, row(created_at=EARLY, updated_at=None))
    assert found.rows["values"].to_list() == [[7, 8, 9]]
    assert found.rows["written_at"].to_list() == [LATE]


def test_defaults_are_counted_and_an_average_says_nothing():
    nan = float("nan")
    marked = {"default_indices": [0, 1, 2], "default_count": 3, "quality_score": 99.0}
    counted = {"default_indices": None, "default_count": 2, "quality_score": 99.0}
    null = {"default_indices": [], "default_count": 0, "quality_score": 99.0}
    poor = {"default_indices": [], "default_count": 0, "quality_score": 1.0}
    found = read(
        row(player="a", **marked), row(player="b", **counted), row(player="c", values=(nan, nan, nan), **null), row(player="d", **poor)
    ).rows
    # vegas_line is not learned from: its default does not count where its place is known.
    assert found["defaulted_features"].to_list() == [2, 2, 2, 0]
    assert found["quality_score"].to_list() == [99, 99, 99, 1]


def test_words_and_names_leave_features_out():
    names = ["vegas_points_line", "lineup_change", "game_total_line", "over_rate", "rest"]
    assert excluded(names, "vegas, line,over_rate") == {"vegas_points_line", "game_total_line", "over_rate"}
    assert excluded(names, "") == frozenset()


def test_a_table_with_neither_form_or_with_a_gap_is_refused():
    with pytest.raises(BadInput, match="neither features with feature_names nor feature_0_value"):
        value_columns({"features": "ARRAY<FLOAT64>"}, TABLE)
    with pytest.raises(BadInput, match="field feature_1_value: the column is missing, and feature_2_value is there"):
        value_columns({"feature_0_value": "FLOAT64", "feature_2_value": "FLOAT64"}, TABLE)
    with pytest.raises(BadInput, match="3 columns feature_N_value, and names for 2 of them"):
        vectors(in_columns(frame(row())).drop("feature_names"), TABLE, version=None, default_names=["a", "b"], exclude="")
