-- description: The picks in force: of each game, the last run that covers it; a live run goes before any replay.
-- grain: one row per slate date, game and player
-- column slate_date: Date of the games in America/New_York.
-- column game_id: The league's game id.
-- column tipoff_utc: Scheduled tip-off.
-- column player_id: The league's player id.
-- column player_name: Player's name.
-- column team: Tricode of the player's team.
-- column opponent: Tricode of the other team.
-- column is_home: Whether the player's team is the home team.
-- column predicted_points: The consensus number of points; null = abstained.
-- column predicted_points_with_line: The consensus allowed to see the line.
-- column q10: Predictive 10 % quantile.
-- column q50: Predictive median.
-- column q90: Predictive 90 % quantile.
-- column line: Line that the prediction saw: median over books; null where there is none.
-- column line_kind: Kind of the quotes behind the line; an undated kind can't be shown to be from before tip-off.
-- column line_source: Feeds that the line comes from, separated by commas.
-- column line_books: How many books the median is over.
-- column line_captured_at: When the newest quote behind the line was seen; null where unknown.
-- column over_odds: American odds of the over.
-- column under_odds: American odds of the under.
-- column p_over: Calibrated probability, 0 to 1, of points above the line, pushes excluded.
-- column p_over_market: The market's probability of the over, 0 to 1, vig removed; null where prices are nominal.
-- column edge: Predicted points minus line.
-- column side: over or under: the side of the line that the number lies on; null without a line or a number.
-- column agreement: How many independent voices lie on the number's side of the line.
-- column voices: How many independent voices gave a number.
-- column spread: Largest minus smallest number among the systems.
-- column quality_tier: gold, silver, bronze or unusable.
-- column missing_features: How many required features are missing.
-- column prior_games: Earlier games with minutes above 0.
-- column season_avg_minutes: Mean minutes over this season's earlier games.
-- column blocked: Whether a reason blocks the pick from use.
-- column reasons: Named reasons of the quality filter, separated by commas; null where there is none.
-- column mode: live (written before tip-off) or replay (a past slate scored again).
-- column model_version: Released model version that scored the slate.
-- column release_number: Entry of the release log that was in force.
-- column feature_version: Version of the feature definitions.
-- column as_of: The run uses nothing that became known later.
-- column run_key: Run that the pick belongs to.
-- column published_at: When the run was first published.
WITH runs AS (
  SELECT slate_date, game_id, run_key, mode, MAX(published_at) AS published_at
  FROM nba_predictions.player_prop_predictions
  GROUP BY slate_date, game_id, run_key, mode
),
ranked AS (
  SELECT
    slate_date,
    game_id,
    run_key,
    ROW_NUMBER() OVER (
      PARTITION BY slate_date, game_id
      ORDER BY CASE mode WHEN 'live' THEN 0 ELSE 1 END, published_at DESC, run_key DESC
    ) AS place
  FROM runs
)
SELECT
  picks.slate_date,
  picks.game_id,
  picks.tipoff_utc,
  picks.player_id,
  picks.player_name,
  picks.team,
  picks.opponent,
  picks.is_home,
  picks.predicted_points,
  picks.predicted_points_with_line,
  picks.q10,
  picks.q50,
  picks.q90,
  picks.line,
  picks.line_kind,
  picks.line_source,
  picks.line_books,
  picks.line_captured_at,
  picks.over_odds,
  picks.under_odds,
  picks.p_over,
  picks.p_over_market,
  picks.edge,
  picks.side,
  picks.agreement,
  picks.voices,
  picks.spread,
  picks.quality_tier,
  picks.missing_features,
  picks.prior_games,
  picks.season_avg_minutes,
  picks.blocked,
  picks.reasons,
  picks.mode,
  picks.model_version,
  picks.release_number,
  picks.feature_version,
  picks.as_of,
  picks.run_key,
  picks.published_at
FROM nba_predictions.player_prop_predictions AS picks
INNER JOIN ranked
  ON ranked.place = 1
  AND picks.slate_date = ranked.slate_date
  AND picks.game_id = ranked.game_id
  AND picks.run_key = ranked.run_key
