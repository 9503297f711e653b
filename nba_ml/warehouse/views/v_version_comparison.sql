-- description: Two model versions on the rows that both predicted in one run, slate by slate: whose number was published makes no difference, since every version in play scores every row. Weigh days by rows; `nba-ml release compare` adds intervals and the verdict.
-- grain: one row per slate date, mode, system and pair of versions
-- column slate_date: Date of the games in America/New_York.
-- column mode: live (written before tip-off) or replay (a past slate scored again).
-- column system_id: System; ensemble is the published consensus.
-- column version: The version of the pair that comes first in the alphabet, as a rule the older one.
-- column other_version: The other version.
-- column graded: Rows with a result and a number from both; the rows behind the errors.
-- column mae: Mean absolute error in points of version.
-- column other_mae: Mean absolute error in points of other_version on the same rows.
-- column difference: mae minus other_mae; below 0, version was better.
-- column rmse: Root of the mean squared error in points of version.
-- column other_rmse: Root of the mean squared error in points of other_version on the same rows.
-- column sided: Rows on which both took a side of the line and the result was not the line itself; the rows behind the hit rates. Lines whose quotes have no time don't count.
-- column hit_rate: Share of those on which version took the right side, 0 to 1.
-- column other_hit_rate: Share of those on which other_version took the right side.
-- column with_probability: Of the sided rows, those with a probability from both; the rows behind the log-losses.
-- column log_loss: Mean log-loss (natural) of version's probability of the over; a coin has 0.6931.
-- column other_log_loss: Mean log-loss of other_version's probability on the same rows.
WITH ranked AS (
  SELECT
    slate_date,
    mode,
    run_key,
    game_id,
    player_id,
    system_id,
    model_version,
    prediction_id,
    error,
    line,
    actual_points,
    CASE WHEN line_kind LIKE '%undated%' THEN 'undated' ELSE outcome END AS outcome,
    ROW_NUMBER() OVER (PARTITION BY slate_date, prediction_id ORDER BY revision DESC) AS place
  FROM nba_predictions.prediction_accuracy
),
grades AS (
  SELECT
    ranked.slate_date,
    ranked.mode,
    ranked.run_key,
    ranked.game_id,
    ranked.player_id,
    ranked.system_id,
    ranked.model_version,
    ranked.error,
    ranked.outcome,
    CASE WHEN ranked.actual_points > ranked.line THEN 1 ELSE 0 END AS was_over,
    CASE WHEN numbers.p_over IS NOT NULL THEN LEAST(GREATEST(numbers.p_over, 0.000001), 0.999999) END AS p_over
  FROM ranked
  INNER JOIN nba_predictions.system_predictions AS numbers
    ON ranked.slate_date = numbers.slate_date
    AND ranked.prediction_id = numbers.id
  INNER JOIN nba_predictions.v_latest_predictions AS picks
    ON ranked.slate_date = picks.slate_date
    AND ranked.run_key = picks.run_key
    AND ranked.game_id = picks.game_id
    AND ranked.player_id = picks.player_id
  WHERE ranked.place = 1 AND ranked.error IS NOT NULL
),
pairs AS (
  SELECT
    ours.slate_date,
    ours.mode,
    ours.system_id,
    ours.model_version AS version,
    theirs.model_version AS other_version,
    ours.error,
    theirs.error AS other_error,
    CASE WHEN ours.outcome IN ('win', 'loss') AND theirs.outcome IN ('win', 'loss') THEN 1 END AS sided,
    CASE WHEN ours.outcome = 'win' THEN 1.0 ELSE 0.0 END AS won,
    CASE WHEN theirs.outcome = 'win' THEN 1.0 ELSE 0.0 END AS other_won,
    -LN(CASE WHEN ours.was_over = 1 THEN ours.p_over ELSE 1 - ours.p_over END) AS loss,
    -LN(CASE WHEN theirs.was_over = 1 THEN theirs.p_over ELSE 1 - theirs.p_over END) AS other_loss
  FROM grades AS ours
  INNER JOIN grades AS theirs
    ON ours.slate_date = theirs.slate_date
    AND ours.run_key = theirs.run_key
    AND ours.game_id = theirs.game_id
    AND ours.player_id = theirs.player_id
    AND ours.system_id = theirs.system_id
    AND ours.model_version < theirs.model_version
)
SELECT
  slate_date,
  mode,
  system_id,
  version,
  other_version,
  COUNT(*) AS graded,
  AVG(ABS(error)) AS mae,
  AVG(ABS(other_error)) AS other_mae,
  AVG(ABS(error) - ABS(other_error)) AS difference,
  SQRT(AVG(error * error)) AS rmse,
  SQRT(AVG(other_error * other_error)) AS other_rmse,
  COUNT(sided) AS sided,
  AVG(CASE WHEN sided = 1 THEN won END) AS hit_rate,
  AVG(CASE WHEN sided = 1 THEN other_won END) AS other_hit_rate,
  COUNT(CASE WHEN sided = 1 THEN loss + other_loss END) AS with_probability,
  AVG(CASE WHEN sided = 1 AND other_loss IS NOT NULL THEN loss END) AS log_loss,
  AVG(CASE WHEN sided = 1 AND loss IS NOT NULL THEN other_loss END) AS other_log_loss
FROM pairs
GROUP BY slate_date, mode, system_id, version, other_version
