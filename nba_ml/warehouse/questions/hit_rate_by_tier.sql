-- question: How often does each quality tier win?
-- asked by: analysts
-- reading: Wins among decided picks of the consensus, with Wilson's 95 % interval. An interval that holds 0.524, the break-even at −110, proves nothing yet; to tell 0.54 from it takes about 3,700 picks. Blocked picks, and replays of slates that the model was trained on, are out.
-- column quality_tier: gold, silver, bronze or unusable.
-- column mode: live (written before tip-off) or replay (a past slate scored again).
-- column wins: Picks on the right side of the line.
-- column decided: Wins and losses.
-- column hit_rate: Wins divided by decided picks, 0 to 1.
-- column low: Lower end of the 95 % interval.
-- column high: Upper end of the 95 % interval.
WITH counted AS (
  SELECT
    quality_tier,
    mode,
    COUNT(CASE WHEN outcome = 'win' THEN 1 END) AS wins,
    COUNT(*) AS decided,
    1.96 * 1.96 AS z2
  FROM nba_predictions.v_graded_predictions
  WHERE system_id = 'ensemble' AND outcome IN ('win', 'loss') AND NOT blocked AND NOT in_sample
  GROUP BY quality_tier, mode
)
SELECT
  quality_tier,
  mode,
  wins,
  decided,
  wins / decided AS hit_rate,
  (wins + z2 / 2 - SQRT(z2 * (wins * (decided - wins) / decided + z2 / 4))) / (decided + z2) AS low,
  (wins + z2 / 2 + SQRT(z2 * (wins * (decided - wins) / decided + z2 / 4))) / (decided + z2) AS high
FROM counted
ORDER BY mode, CASE quality_tier WHEN 'gold' THEN 1 WHEN 'silver' THEN 2 WHEN 'bronze' THEN 3 ELSE 4 END
