"""What the DAGs hand to each other, as Airflow shows it in its asset graph.

Assets have names and no URIs: a URI's scheme makes Airflow import every provider that could know it, Google's among them, whenever DAG
files are parsed.
"""

from airflow.sdk import Asset

RESULTS = Asset("nba_results", group="nba")
FEATURES = Asset("nba_features", group="nba")
MODEL = Asset("nba_model", group="nba")
PREDICTIONS = Asset("nba_predictions", group="nba")
GRADES = Asset("nba_grades", group="nba")
RETRAINING = Asset("nba_retraining", group="nba")
