-- question: Was last night graded?
-- asked by: on call
-- reading: The first row is the last slate whose results are due. State graded is well; to_grade or partly_graded with results_in equal to results_due asks for `nba-ml grade --slate D`; results_in below results_due asks for `nba-ml ingest --from D --to D` first; not_predicted means that the slate has no picks.
-- column slate_date: Date of the games in America/New_York.
-- column state: upcoming, waiting, not_predicted, to_grade, partly_graded or graded.
-- column games_predicted: Games with picks.
-- column results_due: Games whose result counts as known by now.
-- column results_in: Of these, games with a final score.
-- column games_graded: Games whose picks in force are graded.
-- column published_at: When the slate's last pick in force was first published.
-- column graded_at: When the slate's last grade was written.
SELECT
  slate_date,
  state,
  games_predicted,
  results_due,
  results_in,
  games_graded,
  published_at,
  graded_at
FROM nba_predictions.v_slate_status
WHERE results_due > 0
ORDER BY slate_date DESC
LIMIT 3
