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
-- column model_version: Released model version that the row is published from.
-- column share: Share of the slate's rows that this version predicted, 0 to 1.
-- column release_number: Last entry of the release log that changed which versions score.
-- column feature_version: Version of the feature definitions.
-- column as_of: The run uses nothing that became known later.
-- column run_key: Run that the pick belongs to.
-- column published_at: When the run was first published.
SELECT
  slate_date,
  game_id,
  tipoff_utc,
  player_id,
  player_name,
  team,
  opponent,
  is_home,
  predicted_points,
  predicted_points_with_line,
  q10,
  q50,
  q90,
  line,
  line_kind,
  line_source,
  line_books,
  line_captured_at,
  over_odds,
  under_odds,
  p_over,
  p_over_market,
  edge,
  side,
  agreement,
  voices,
  spread,
  quality_tier,
  missing_features,
  prior_games,
  season_avg_minutes,
  blocked,
  reasons,
  mode,
  model_version,
  share,
  release_number,
  feature_version,
  as_of,
  run_key,
  published_at
FROM nba_predictions.v_pick_history
WHERE in_force
