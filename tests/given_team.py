"""A team that has its own feature store: its tables, made from games of a league as they are in nba_raw, and loaded into the emulator."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from io import BytesIO

import polars as pl

NAMES = ("points_avg_last_5", "points_avg_last_10", "minutes_avg_last_10", "home_away", "games_played", "vegas_points_line")
VERSION = "v2_6features"
VALUE = "feature_{}_value"


@dataclass
class Team:
    """Tables by short name, to be spoilt before they are loaded."""

    features: pl.DataFrame
    player_game_summary: pl.DataFrame
    nba_players_registry: pl.DataFrame
    nbac_schedule: pl.DataFrame
    dataset: str = field(default="team")

    def as_columns(self, *, named: bool) -> "Team":
        """Write the features as feature_0_value, feature_1_value, …, with or without the column feature_names."""
        values = [pl.col("features").list.get(place).alias(VALUE.format(place)) for place in range(len(NAMES))]
        self.features = self.features.with_columns(values).drop("features", *([] if named else ["feature_names"]))
        return self

    def load(self, client, dataset: str) -> dict[str, str]:
        """Load all tables into one dataset of the client's project; return the settings that name them."""
        from google.cloud import bigquery

        client.create_dataset(dataset, exists_ok=True)
        listed = bigquery.format_options.ParquetOptions()
        listed.enable_list_inference = True
        config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_TRUNCATE", parquet_options=listed)
        names = {"ml_feature_store_v2": self.features}
        names |= {name: getattr(self, name) for name in ("player_game_summary", "nba_players_registry", "nbac_schedule")}
        for name, frame in names.items():
            buffer = BytesIO()
            frame.write_parquet(buffer)
            client.load_table_from_file(buffer, f"{client.project}.{dataset}.{name}", rewind=True, job_config=config).result(timeout=120)
        return {
            "source": "feature_store",
            "project": client.project,
            "feature_store": f"{client.project}.{dataset}.ml_feature_store_v2",
            "feature_store_outcomes": f"{dataset}.player_game_summary",
            "feature_store_players": f"{dataset}.nba_players_registry",
            "feature_store_schedule": f"{dataset}.nbac_schedule",
        }


def team_of(schedule: pl.DataFrame, box: pl.DataFrame, slate: pl.DataFrame | None = None) -> Team:
    """Make the tables of a team that watched these games (rows of nba_raw), in the form of arrays.

    `slate` (game_date, player_id, team, player_name) adds feature rows of players whose game is still to come.
    """
    key = ["player_id", "game_date"]
    lookup = pl.format("player{}", "player_id")
    played = box.select(*key, "player_name", "team", "opponent", "is_home", "points", "minutes")
    coming = [] if slate is None else [slate.select(*key, "player_name", "team", "opponent", "is_home")]
    rows = pl.concat([played, *coming], how="diagonal").sort(key)
    past = {name: pl.col(name).cast(pl.Float64).shift(1) for name in ("points", "minutes")}
    made = {
        "points_avg_last_5": past["points"].rolling_mean(5, min_samples=1).over("player_id"),
        "points_avg_last_10": past["points"].rolling_mean(10, min_samples=1).over("player_id"),
        "minutes_avg_last_10": past["minutes"].rolling_mean(10, min_samples=1).over("player_id"),
        "home_away": pl.col("is_home").cast(pl.Float64),
        "games_played": pl.int_range(pl.len()).over("player_id").cast(pl.Float64),
        "vegas_points_line": pl.col("points").cast(pl.Float64) + 0.5,
    }
    values = pl.concat_list([expression.fill_null(float("nan")) for expression in made.values()])
    noon = pl.col("game_date").cast(pl.Datetime("us", "UTC")) + timedelta(hours=17)
    features = rows.select(
        "game_date",
        player_lookup=lookup,
        feature_version=pl.lit(VERSION),
        feature_quality_score=pl.lit(91.5),
        features=values,
        feature_names=pl.lit(list(NAMES), dtype=pl.List(pl.String)),
        created_at=noon,
    )
    form = pl.col("points").cast(pl.Float64).shift(1).rolling_mean(10, min_samples=1).over("player_id")
    summary = played.sort(key).select(
        "game_date",
        "points",
        player_lookup=lookup,
        player_full_name="player_name",
        game_id=pl.format("{}_X", pl.col("game_date").cast(pl.String)),
        team_abbr="team",
        opponent_team_abbr="opponent",
        minutes_played="minutes",
        points_line=pl.when(pl.col("player_id") % 2 == 0).then(form.round() + 0.5),
    )
    people = rows.unique("player_id").sort("player_id")
    registry = people.select("player_id", player_lookup=lookup, player_name="player_name", season=pl.lit("2023-24"))
    games = schedule.select(
        "game_id",
        "game_date",
        "tipoff_utc",
        home_team_tricode="home",
        away_team_tricode="away",
        home_team_score="home_points",
        away_team_score="away_points",
        game_status=pl.when(pl.col("home_points").is_not_null()).then(3).otherwise(1),
    )
    return Team(features, summary, pl.concat([registry, registry.with_columns(season=pl.lit("2022-23"))]), games)


def day_of(frame: pl.DataFrame, back: int = 0):
    """Return the last date of a frame, or one `back` dates before it."""
    return frame["game_date"].unique().sort()[-1 - back]


def moment(day, hour: int) -> datetime:
    return datetime.combine(day, time(hour), UTC)
