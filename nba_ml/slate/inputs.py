"""Everything a slate is predicted from, read once, as it was known at the cut-off."""

import functools
import logging
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from nba_ml import lines, slate_calendar
from nba_ml.calendar import day_before, season_year
from nba_ml.context import Context
from nba_ml.errors import GateRefused
from nba_ml.features import TARGET, FeatureSet, build, given
from nba_ml.gates import least_share_of_points, load_gates
from nba_ml.ids import digest, frame_fingerprint
from nba_ml.registry.in_force import InForce
from nba_ml.slate import population

log = logging.getLogger(__name__)

_FIRST_DAY = date(1946, 11, 1)
_RESULTS = ("home_points", "away_points", "overtime")
_FINGERPRINT_DIGITS = 6


@dataclass(frozen=True)
class Inputs:
    """Inputs of one slate at one cut-off.

    Attributes
    ----------
    games : DataFrame
        The slate's scheduled games.
    box, schedule : DataFrame
        History, dated before the slate; the schedule also holds the slate itself, without results.
    status : DataFrame
        Injury reports and line-ups.
    as_of : datetime
        The cut-off.
    lines : DataFrame
        Consensus lines of the population, as `nba_ml.lines.consensus` returns them.
    population : DataFrame
        As `nba_ml.slate.population.find` returns it.
    unplaced : list of str
        Players with a line whose team can't be told, or does not play.
    stale : DataFrame
        As `nba_ml.slate.population.stale_teams` returns it.
    feature_set : FeatureSet
        What a model is fed.
    given : DataFrame or None
        Accepted feature rows of the slate (`nba_ml.features.given.read`); None where the source gives none.
    """

    games: pl.DataFrame
    box: pl.DataFrame
    schedule: pl.DataFrame
    status: pl.DataFrame
    as_of: datetime
    lines: pl.DataFrame
    population: pl.DataFrame
    unplaced: list[str]
    stale: pl.DataFrame
    feature_set: FeatureSet
    given: pl.DataFrame | None = None

    @functools.cached_property
    def features(self) -> pl.DataFrame:
        """Feature rows of history, with the outcome, and of the slate (``upcoming``), from the one function that builds both."""
        rows = build(self.box, self.schedule, self.population, status=self.status, as_of=self.as_of)
        outcome = self.box.select("game_id", "player_id", **{TARGET: pl.col("points").cast(pl.Float64)})
        return rows.join(outcome, on=["game_id", "player_id"], how="left", maintain_order="left")

    @property
    def own_rows(self) -> pl.DataFrame:
        """Rows of the slate with the features that the platform makes itself."""
        return self.features.filter("upcoming").drop(TARGET)

    @property
    def rows(self) -> pl.DataFrame:
        """Feature rows of the slate."""
        own = self.own_rows
        return own if self.given is None else own.join(self.given, on=given.KEY, how="left", maintain_order="left")

    @property
    def history(self) -> pl.DataFrame:
        """Feature rows of finished games."""
        return self.features.filter(~pl.col("upcoming"))

    @property
    def without_row(self) -> list[int]:
        """Players of the slate for whom the source gives no accepted feature row."""
        return [] if self.given is None else self.population.join(self.given, on=given.KEY, how="anti")["player_id"].to_list()

    def fingerprint(self) -> str:
        """Hash what the predictions depend on; equal inputs give an equal hash on any machine and at any time."""
        rows = self.rows.sort("game_id", "player_id").with_columns(pl.col(pl.Float64).round(_FINGERPRINT_DIGITS))
        past = self.box.sort("game_id", "player_id").drop("id", "known_at", "source", strict=False)
        parts = (self.population.sort("game_id", "player_id"), self.lines.sort(lines.KEY), rows, past, self.stale)
        return digest(map(frame_fingerprint, parts))


def read(context: Context, slate: date, as_of: datetime, mode: str) -> Inputs:
    """Read the inputs of a slate.

    Results and box scores of the slate's own date and later are left out even where `as_of` would show them; undated quotes are read for
    replays alone.
    """
    warehouse = context.warehouse
    yesterday = day_before(slate)
    schedule = warehouse.read("nba_raw.schedule", as_of=as_of, dates=(_FIRST_DAY, slate))
    unplayed = pl.col("game_date") >= slate
    schedule = schedule.with_columns(pl.when(~unplayed).then(pl.col(name)).alias(name) for name in _RESULTS)
    box = warehouse.read("nba_raw.player_box", as_of=as_of, dates=(_FIRST_DAY, yesterday))
    _require_scheduled(box, schedule)
    _require_whole(schedule, slate)
    status = warehouse.read("nba_raw.player_status", as_of=as_of, dates=(_FIRST_DAY, slate))
    quotes = warehouse.read("nba_raw.prop_lines", as_of=as_of, dates=(slate, slate), undated=mode == "replay")
    games = schedule.filter(unplayed)
    found = lines.consensus(quotes, as_of=as_of, tipoffs=games, live=mode == "live")
    quoted = lines.listed(quotes).join(found, on=lines.KEY, how="semi")
    people, unplaced = population.find(games, box, quoted)
    if unplaced:
        log.warning("%d players with a line play for no team of the slate that is known: %s", len(unplaced), ", ".join(unplaced))
    own = found.join(people, on="player_id", how="semi")
    least = least_share_of_points(context.settings.source)
    stale = population.stale_teams(games, schedule, box, slate, as_of, least)
    values = given.read(context, as_of, (slate, slate)) if given.is_given(context.settings) else None
    return Inputs(games, box, schedule, status, as_of, own, people, unplaced, stale, given.feature_set(context), values)


def _require_whole(schedule: pl.DataFrame, slate: date) -> None:
    """Refuse a slate in whose season days are missing: means and line-ups would be those of before, and nothing would look stale.

    Raises
    ------
    GateRefused
        If the schedule has a hole since the season began (`nba_ml.slate_calendar.holes`).
    """
    missing = [day for day in slate_calendar.holes(schedule["game_date"]) if season_year(day) == season_year(slate)]
    if missing:
        raise GateRefused(
            f"nba_raw.schedule has no game on {len(missing)} days of the season, {missing[0]} to {missing[-1]}, on which games are usual: they "
            f"were not ingested. Run: nba-ml ingest --from {missing[0]} --to {missing[-1]}"
        )


def _require_scheduled(box: pl.DataFrame, schedule: pl.DataFrame) -> None:
    """Refuse a history whose schedule is gone: rest, opponents and stale teams are told from it.

    Raises
    ------
    GateRefused
        If too many of the games with box scores are not in the schedule.
    """
    games = box.select("game_id", "game_date").unique()
    lost = games.join(schedule, on="game_id", how="anti")["game_date"]
    most = load_gates()["slate"]["unscheduled_games"]
    if lost.len() > most * games.height:
        raise GateRefused(
            f"{lost.len()} of {games.height} games with box scores are not in nba_raw.schedule ({lost.len() / games.height:.0%}, allowed "
            f"{most:.0%}): the schedule is lost or was cut. Run: nba-ml ingest --from {lost.min()} --to {lost.max()}"
        )


def run_key(inputs: Inputs, slate: date, mode: str, models: InForce) -> str:
    """Return the identity of a run: the same while nothing new is known, whenever it is made."""
    return digest((slate, mode, *models.identity(), inputs.feature_set.version, inputs.fingerprint()))
