"""The source over the tables of a team that has its own feature store."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from importlib import resources
from typing import Any

import polars as pl

from nba_ml import calendar
from nba_ml.clients import APPLICATION_DEFAULT, Clients
from nba_ml.errors import BadInput
from nba_ml.gates import load_gates
from nba_ml.settings import Settings
from nba_ml.sources.feature_store import columns, outcomes
from nba_ml.sources.feature_store.lines import line_rows
from nba_ml.sources.feature_store.players import directory
from nba_ml.sources.feature_store.reading import Reader
from nba_ml.sources.feature_store.vectors import Vectors, value_columns, vectors
from nba_ml.sources.port import SetAside
from nba_ml.warehouse.schema import table

_MOMENT = pl.Datetime("us", "UTC")
_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
_KEY = ["game_date", "player_id"]


@dataclass(frozen=True)
class _Span:
    """What the tables hold of a span of dates: raw table → rows, and what is kept out."""

    first: date
    last: date
    frames: dict[str, pl.DataFrame]
    aside: list[SetAside]


class FeatureStoreSource:
    """Implements `nba_ml.sources.port.GivenFeatures` over BigQuery.

    Parameters
    ----------
    settings : Settings
        NBA_ML_FEATURE_STORE and its kin.
    clients : Clients
        Ready clients of Google's services, if any.
    """

    name = "feature_store"

    def __init__(self, settings: Settings, clients: Clients = APPLICATION_DEFAULT) -> None:
        self._settings = settings
        self._reader = Reader(settings, clients)
        self._tables = self._reader.tables
        self._span: _Span | None = None

    def last_date(self) -> date:
        """Return the last date that has outcomes."""
        return self._edge(self._tables.outcomes, "MAX", "`points` IS NOT NULL")

    def first_date(self) -> date:
        """Return the first date that has scheduled games."""
        return self._edge(self._tables.schedule, "MIN", "TRUE")

    def schedule(self, first: date, last: date) -> pl.DataFrame:
        """Return scheduled games; without a score in the team's schedule, the final score is the sum of its outcomes."""
        return self._rows("schedule", first, last)

    def player_box(self, first: date, last: date) -> pl.DataFrame:
        """Return outcomes of players whom the reference table knows; statistics that the team does not keep are null."""
        return self._rows("player_box", first, last)

    def prop_lines(self, first: date, last: date) -> pl.DataFrame:
        """Return quotes on players' points: of the team's table of quotes if one is named, else the undated lines of its outcomes."""
        return self._rows("prop_lines", first, last)

    def game_lines(self, first: date, last: date) -> pl.DataFrame:
        """Return no rows: the platform has no use for game lines of such a team."""
        return _empty("game_lines")

    def player_status(self, first: date, last: date) -> pl.DataFrame:
        """Return no rows: reports are in the team's features, if anywhere."""
        return _empty("player_status")

    def given_features(self, first: date, last: date) -> pl.DataFrame:
        """Return accepted feature rows."""
        return self._rows("given_features", first, last)

    def given_feature_names(self, first: date, last: date) -> pl.DataFrame:
        """Return the names of the values of `given_features`."""
        return self._rows("given_feature_names", first, last)

    def given_dates(self, first: date, last: date) -> pl.DataFrame:
        """Return how much of each date was accepted."""
        return self._rows("given_dates", first, last)

    def set_aside(self, first: date, last: date) -> list[SetAside]:
        """Return the rows that are kept out, by rule."""
        return self._read(first, last).aside

    def locate(self, name: str, key: Mapping[str, Any]) -> str:
        """Name the team's table that the rows of a raw table come from, and a row's key."""
        given = {"schedule": self._tables.schedule, "prop_lines": self._tables.lines, "player_box": self._tables.outcomes}
        where = given.get(name) or (self._tables.features if name.startswith("given") else self._tables.outcomes)
        return f"{where} row with " + ", ".join(f"{column} {value}" for column, value in key.items()) if key else where

    def _edge(self, where: str, function: str, condition: str) -> date:
        found = self._reader.edge(where, function, condition)
        if found is None:
            raise BadInput(f"{where} has no rows: correct the NBA_ML_FEATURE_STORE settings (docs/feature_store.md)")
        return found

    def _rows(self, name: str, first: date, last: date) -> pl.DataFrame:
        return self._read(first, last).frames[name]

    def _read(self, first: date, last: date) -> _Span:
        """Read a span once, since its tables depend on each other; the last one is kept."""
        if self._span is None or (self._span.first, self._span.last) != (first, last):
            self._span = self._make(first, last)
        return self._span

    def _make(self, first: date, last: date) -> _Span:
        given, span = self._tables, (first, last)
        played = outcomes.played(self._reader.rows(given.outcomes, columns.OUTCOMES, span), given.outcomes)
        schedule = outcomes.schedule_rows(self._reader.rows(given.schedule, columns.SCHEDULE, span), played, given.schedule)
        box, refused = outcomes.box_rows(played, schedule, self._players, given.outcomes)
        quotes = self._reader.rows(given.lines, columns.LINES, span) if given.lines else None
        aside = [SetAside(_short(given.outcomes), rule, outcomes.RULES[rule], rows) for rule, rows in refused.items()]
        found = self._vectors(span)
        features, faulty = _accepted(found, self._players, schedule, given.features)
        aside += [SetAside(_short(given.features), rule, outcomes.RULES[rule], rows) for rule, rows in faulty.items()]
        frames = {
            "schedule": schedule,
            "player_box": box,
            "prop_lines": line_rows(quotes, played, box, self._players, given.lines or given.outcomes),
            "given_features": features,
            "given_feature_names": _names(found, given.features),
            "given_dates": _dates(played, self._players, found, features, given.features),
        }
        return _Span(first, last, frames, aside)

    def _vectors(self, span: tuple[date, date]) -> Vectors | None:
        where, settings = self._tables.features, self._settings
        wanted = [*columns.FEATURES, *value_columns(self._reader.columns(where), where)]
        return vectors(
            self._reader.rows(where, wanted, span),
            where,
            version=settings.feature_store_version,
            default_names=self._default_names,
            exclude=settings.feature_store_exclude,
        )

    @cached_property
    def _players(self) -> pl.DataFrame:
        return directory(self._reader.rows(self._tables.players, columns.PLAYERS, None), self._tables.players)

    @cached_property
    def _default_names(self) -> list[str]:
        named = self._settings.feature_store_names
        text = (resources.files(__package__) / "names.txt" if named is None else named).read_text("utf-8")
        return [line.strip() for line in text.splitlines() if line.strip()]


def _accepted(
    found: Vectors | None, players: pl.DataFrame, schedule: pl.DataFrame, source: str
) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """Return rows of nba_raw.given_features, and by rule the feature rows that are not accepted."""
    if found is None:
        return _empty("given_features"), {}
    rows = found.rows.join(players.select("player_lookup", "player_id"), on="player_lookup", how="left", maintain_order="left")
    known, few = pl.col("player_id").is_not_null(), pl.col("defaulted_features") <= load_gates()["feature_store"]["most_defaulted_features"]
    refused = {"player_known": rows.filter(~known), "few_defaults": rows.filter(known & ~few)}
    kept = rows.filter(known & few).with_columns(
        feature_version=pl.lit(found.version),
        feature_values=_json(pl.col("values")),
        source=pl.lit(source),
        known_at=_known_at(rows.filter(known & few), schedule),
    )
    target = table("nba_raw.given_features")
    return kept.select(name for name in target.schema if name != "id"), {rule: part for rule, part in refused.items() if part.height}


def _json(values: pl.Expr) -> pl.Expr:
    """Write lists of numbers as JSON; the shortest text that reads back as the same number."""
    return pl.lit("[") + values.list.eval(pl.element().cast(pl.String).fill_null("null")).list.join(",") + pl.lit("]")


def _known_at(rows: pl.DataFrame, schedule: pl.DataFrame) -> pl.Series:
    """Return when a row was made, if that was by the lead of live runs, else 06:00 in New York of its date.

    A row without a time, or computed again afterwards, can't be shown to have been there; by the team's word it uses earlier games alone.
    """
    tips = schedule.group_by("game_date").agg(pl.col("tipoff_utc").min())
    days = rows.select("game_date").unique().join(tips, on="game_date", how="left")
    leads = {day: calendar.lead_as_of(day, tip) for day, tip in days.select("game_date", "tipoff_utc").iter_rows()}
    mornings = {day: calendar.results_known_at(calendar.day_before(day)) for day in leads}
    day = pl.col("game_date")
    lead, morning = (day.replace_strict(when, return_dtype=_MOMENT) if when else pl.lit(None, _MOMENT) for when in (leads, mornings))
    made = pl.col("written_at")
    return rows.select(known_at=pl.when(made <= lead).then(made).otherwise(morning))["known_at"]


def _names(found: Vectors | None, source: str) -> pl.DataFrame:
    """Return rows of nba_raw.given_feature_names."""
    if found is None:
        return _empty("given_feature_names")
    return pl.DataFrame(
        {"position": range(len(found.names)), "name": found.names}, schema={"position": pl.Int64, "name": pl.String}
    ).select(
        pl.lit(found.version).alias("feature_version"),
        "position",
        "name",
        pl.lit(source).alias("source"),
        pl.lit(_ALWAYS, _MOMENT).alias("known_at"),
    )


def _dates(played: pl.DataFrame, players: pl.DataFrame, found: Vectors | None, features: pl.DataFrame, source: str) -> pl.DataFrame:
    """Return rows of nba_raw.given_dates."""
    rows = played.join(players.select("player_lookup", "player_id"), on="player_lookup", how="left")
    rows = rows.join(features.select(*_KEY, accepted=pl.lit(value=True)), on=_KEY, how="left")
    counted = rows.group_by("game_date").agg(
        outcome_rows=pl.len().cast(pl.Int64),
        unmatched_rows=pl.col("player_id").is_null().sum().cast(pl.Int64),
        accepted_rows=pl.col("accepted").fill_null(value=False).sum().cast(pl.Int64),
    )
    held = found.rows if found else pl.DataFrame(schema={"game_date": pl.Date})
    stored = held.group_by("game_date").agg(feature_rows=pl.len().cast(pl.Int64))
    days = counted.join(stored, on="game_date", how="left").sort("game_date")
    known = [calendar.results_known_at(day) for day in days["game_date"]]
    return days.select(
        *("game_date", "outcome_rows", "unmatched_rows"),
        pl.col("feature_rows").fill_null(0),
        "accepted_rows",
        pl.lit(source).alias("source"),
        pl.Series("known_at", known, dtype=_MOMENT),
    )


def _short(name: str) -> str:
    return name.rsplit(".", 1)[1]


def _empty(name: str) -> pl.DataFrame:
    schema = table(f"nba_raw.{name}").schema
    return pl.DataFrame(schema={column: dtype for column, dtype in schema.items() if column != "id"})
