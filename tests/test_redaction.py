"""Secrets are masked wherever they stand in a text, and what is no secret is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_ml.redaction import MASK, redact

WORD = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=12, max_size=40)
FORMS = (
    "https://hooks.slack.com/services/T0ABCDEF1/B0ABCDEF2/{}",
    "http://127.0.0.1:18099/services/T000/B000/{}",
    "https://hooks.slack.com/workflows/T0ABCDEF1/A0ABCDEF2/{}",
    "T0ABCDEF1/B0ABCDEF2/{}",
    "postgresql+psycopg2://airflow:{}@postgres:5432/airflow",
    "https://{}@example.com/path",
    "https://api.example.com/odds?regions=us&key={}",
    "https://api.example.com/odds?apiKey={}&regions=us",
    "https://storage.googleapis.com/b/o?X-Goog-Signature={}&x=1",
    "ODDS_API_KEY={}",
    "password: {}",
    '{{"password": "{}", "host": "h"}}',
    "{{'client_secret': '{}'}}",
    "Authorization: Bearer {}",
    "xoxb-{}",
    "eyJ{}.eyJ9.x",
    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\\n{}",
    "AIRFLOW_CONN_SLACK_WEBHOOK password={} conn_type=slackwebhook",
)
TELLING = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)


@pytest.mark.parametrize("form", FORMS)
@given(secret=WORD, before=TELLING, after=TELLING)
def test_a_secret_is_masked_wherever_it_stands(form, secret, before, after):
    said = redact(f"{before} {form.format(secret)} {after}")
    assert secret not in said.replace(before, "").replace(after, "")
    assert MASK in said


@given(st.text())
def test_masking_twice_is_masking_once(text):
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "guard.worse:20250105-1a2b3c4d: mean difference of ensemble is 0.21 [0.05, 0.4] over 812 rows of 9 slates, asked is below 0",
        "4 of 12 rows to write share their key, the first {'game_id': '0022300001', 'player_id': 201939}: make them distinct",
        "run_key=0f3a9c, partition_key: 2026-11-26, keys: a, b",
        "there is no warehouse at .nba_ml/warehouse.duckdb yet: run `nba-ml init`",
        "https://airflow.example.com/dags/nba_predict/runs/slate__2026-11-26/tasks/score?try_number=2",
        "nba-ml release rollback --reason TEXT",
        "gs://models/prod/models/points/20250105-1a2b3c4d/card.html",
        "the tokens of a player's name are compared, as in password-free text",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redact(text) == text
