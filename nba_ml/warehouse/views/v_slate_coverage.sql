-- description: What became of each slate's population in the picks in force: numbers, abstentions, blocked picks and lines.
-- grain: one row per slate date
-- column slate_date: Date of the games in America/New_York.
-- column mode: live (written before tip-off), replay (a past slate scored again), or mixed where games differ.
-- column games: Games with picks.
-- column population: Players that were looked at.
-- column predicted: Players with a number.
-- column abstained: Players without a number.
-- column blocked: Players whose pick a named reason blocks.
-- column with_line: Players with a line.
-- column line_coverage: Players with a line divided by the population, 0 to 1.
-- column published_at: When the slate's last run was first published.
SELECT
  slate_date,
  CASE WHEN MIN(mode) = MAX(mode) THEN MIN(mode) ELSE 'mixed' END AS mode,
  COUNT(DISTINCT game_id) AS games,
  COUNT(*) AS population,
  COUNT(predicted_points) AS predicted,
  COUNT(*) - COUNT(predicted_points) AS abstained,
  COUNT(CASE WHEN blocked THEN 1 END) AS blocked,
  COUNT(line) AS with_line,
  COUNT(line) / COUNT(*) AS line_coverage,
  MAX(published_at) AS published_at
FROM nba_predictions.v_latest_predictions
GROUP BY slate_date
