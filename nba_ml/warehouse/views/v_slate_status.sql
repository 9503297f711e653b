-- description: How far each slate has come: scheduled, predicted, results due and in, graded. Of games that are played, only those whose result counts as known by now.
-- grain: one row per slate date
-- column slate_date: Date of the games in America/New_York.
-- column state: upcoming or waiting (no result is due yet; without or with picks), not_predicted (results are due, and there are no picks), to_grade, partly_graded or graded.
-- column games: Scheduled games.
-- column games_predicted: Games with picks.
-- column games_predicted_live: Games whose picks were written before tip-off.
-- column results_due: Games whose result counts as known by now: from 06:00 in New York the morning after.
-- column results_in: Of these, games with a final score.
-- column games_graded: Games whose picks in force are graded.
-- column published_at: When the slate's last pick in force was first published.
-- column graded_at: When the slate's last grade was written.
WITH scheduled AS (
  SELECT
    game_date AS slate_date,
    COUNT(*) AS games,
    COUNT(CASE WHEN result_known_at <= CURRENT_TIMESTAMP THEN 1 END) AS results_due,
    COUNT(CASE WHEN result_known_at <= CURRENT_TIMESTAMP THEN home_points END) AS results_in
  FROM nba_raw.schedule
  GROUP BY game_date
),
picks AS (
  SELECT
    slate_date,
    COUNT(DISTINCT game_id) AS games_predicted,
    COUNT(DISTINCT CASE WHEN mode = 'live' THEN game_id END) AS games_predicted_live,
    MAX(published_at) AS published_at
  FROM nba_predictions.v_latest_predictions
  GROUP BY slate_date
),
grades AS (
  SELECT
    slate_date,
    COUNT(DISTINCT game_id) AS games_graded,
    MAX(graded_at) AS graded_at
  FROM nba_predictions.v_graded_predictions
  GROUP BY slate_date
),
counted AS (
  SELECT
    COALESCE(scheduled.slate_date, picks.slate_date) AS slate_date,
    COALESCE(scheduled.games, 0) AS games,
    COALESCE(picks.games_predicted, 0) AS games_predicted,
    COALESCE(picks.games_predicted_live, 0) AS games_predicted_live,
    COALESCE(scheduled.results_due, 0) AS results_due,
    COALESCE(scheduled.results_in, 0) AS results_in,
    COALESCE(grades.games_graded, 0) AS games_graded,
    picks.published_at,
    grades.graded_at
  FROM scheduled
  FULL JOIN picks
    ON scheduled.slate_date = picks.slate_date
  LEFT JOIN grades
    ON picks.slate_date = grades.slate_date
)
SELECT
  slate_date,
  CASE
    WHEN games_predicted = 0 AND results_due = 0 THEN 'upcoming'
    WHEN games_predicted = 0 THEN 'not_predicted'
    WHEN games_graded >= games_predicted THEN 'graded'
    WHEN games_graded > 0 THEN 'partly_graded'
    WHEN results_due > 0 THEN 'to_grade'
    ELSE 'waiting'
  END AS state,
  games,
  games_predicted,
  games_predicted_live,
  results_due,
  results_in,
  games_graded,
  published_at,
  graded_at
FROM counted
