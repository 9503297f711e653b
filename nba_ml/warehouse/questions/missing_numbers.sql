-- question: Why has a player no number?
-- asked by: on call
-- reading: Abstentions of the picks in force of the last slate, by system and reason. Those of one system cost the consensus a voice; those of ensemble leave players without a pick. No row is good news.
-- column slate_date: Date of the games in America/New_York.
-- column system_id: System; ensemble is the published consensus.
-- column reason: Why the system gives no number.
-- column players: Players without a number of this system for this reason.
-- column of_players: Players of the slate's population.
WITH last_slate AS (
  SELECT MAX(slate_date) AS slate_date
  FROM nba_predictions.v_latest_predictions
),
numbers AS (
  SELECT
    systems.slate_date,
    systems.system_id,
    systems.predicted_points,
    systems.abstain_reason
  FROM nba_predictions.v_latest_predictions AS picks
  INNER JOIN last_slate
    ON picks.slate_date = last_slate.slate_date
  INNER JOIN nba_predictions.system_predictions AS systems
    ON picks.slate_date = systems.slate_date
    AND picks.run_key = systems.run_key
    AND picks.game_id = systems.game_id
    AND picks.player_id = systems.player_id
    AND picks.model_version = systems.model_version
),
population AS (
  SELECT system_id, COUNT(*) AS players
  FROM numbers
  GROUP BY system_id
)
SELECT
  numbers.slate_date,
  numbers.system_id,
  numbers.abstain_reason AS reason,
  COUNT(*) AS players,
  MAX(population.players) AS of_players
FROM numbers
INNER JOIN population
  ON numbers.system_id = population.system_id
WHERE numbers.predicted_points IS NULL
GROUP BY numbers.slate_date, numbers.system_id, numbers.abstain_reason
ORDER BY players DESC, numbers.system_id, reason
