"""What the DAGs hand to each other, as Airflow shows it in its asset graph."""

from airflow.sdk import Asset

RESULTS = Asset("nba_results", uri="nba-ml://nba_raw/player_box", group="nba")
FEATURES = Asset("nba_features", uri="nba-ml://nba_predictions/ml_feature_store_v2", group="nba")
MODEL = Asset("nba_model", uri="nba-ml://releases/points", group="nba")
PREDICTIONS = Asset("nba_predictions", uri="nba-ml://nba_predictions/player_prop_predictions", group="nba")
GRADES = Asset("nba_grades", uri="nba-ml://nba_predictions/prediction_accuracy", group="nba")
