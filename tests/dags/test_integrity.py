"""What every DAG must have, whatever it does."""

import ast
import copy
import importlib
import json
import subprocess
import sys
from datetime import date, time
from pathlib import Path

import pytest

from nba_ml.calendar import at_new_york
from nba_ml.rhythm import due_at

pytestmark = pytest.mark.airflow

ROOT = Path(__file__).parents[2]
DAGS = {"nba_ingest", "nba_train", "nba_approve", "nba_release", "nba_predict", "nba_update", "nba_grade", "nba_monitor"}
TAGS = {"nba", "ingest", "training", "release", "prediction", "grading", "monitoring"}
DAY = date(2025, 1, 20)
FILES = sorted((ROOT / "dags").glob("*.py"))
HEAVY = ("google.cloud.", "google.api_core", "great_expectations", "xgboost", "polars", "pandas", "duckdb", "sklearn", "matplotlib")

_PARSE = """
import json, sys, time
from airflow.dag_processing.dagbag import DagBag
begun = time.process_time()
bag = DagBag(dag_folder=sys.argv[1])
seconds = time.process_time() - begun
print(json.dumps({"dags": sorted(bag.dags), "errors": bag.import_errors, "seconds": seconds, "modules": sorted(sys.modules)}))
"""


@pytest.fixture(params=sorted(DAGS))
def dag(request, dag_bag):
    return dag_bag.dags[request.param]


def test_all_dags_are_read(dag_bag):
    assert dag_bag.import_errors == {}
    assert set(dag_bag.dags) == DAGS


def test_dag_files_parse_fast_and_import_nothing_heavy(dag_bag):
    done = subprocess.run([sys.executable, "-c", _PARSE, str(ROOT / "dags")], capture_output=True, text=True, check=True, cwd=ROOT)
    parsed = json.loads(done.stdout.splitlines()[-1])
    assert parsed["errors"] == {}
    assert set(parsed["dags"]) == DAGS
    assert parsed["seconds"] < 5
    assert [name for name in parsed["modules"] if name.startswith(HEAVY)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_dag_file_is_short_besides_its_docstring(file):
    text = file.read_text("utf-8")
    docstring = ast.parse(text).body[0]
    assert len(text.splitlines()) - (docstring.end_lineno - docstring.lineno + 1) <= 100


def test_tags_come_from_a_closed_set(dag):
    assert dag.tags <= TAGS
    assert "nba" in dag.tags
    assert len(dag.tags) == 2


def test_a_dag_starts_paused_and_never_catches_up(dag):
    assert dag.is_paused_upon_creation
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    assert dag.dagrun_timeout


def test_the_manual_says_what_when_and_what_to_do_when_it_fails(dag):
    for part in (f"# {dag.dag_id}: ", "**What.**", "**When.**", "**When it fails**", "Unavailable", "The same by hand: `nba-ml "):
        assert part in dag.doc_md


def test_every_task_has_owner_retries_policy_timeout_and_a_word_on_what_it_does(dag):
    for task in dag.tasks:
        assert task.owner == "nba-ml", task.task_id
        assert task.retries >= 1, task.task_id
        # By name: Airflow may load a plugin's module again, which gives another class.
        assert type(task.retry_policy).__name__ == "NbaRetryPolicy", task.task_id
        assert task.execution_timeout, task.task_id
        assert task.doc_md, task.task_id


def test_params_are_typed_and_described(dag):
    assert dag.params
    for name in dag.params:
        param = dag.params.get_param(name)
        assert param.description, name
        assert "enum" in param.schema or "minLength" in param.schema or param.schema["format"] in ("date", "date-time"), name


@pytest.mark.parametrize(
    ("dag_id", "name", "value"),
    [
        ("nba_grade", "slate", "yesterday"),
        ("nba_predict", "mode", "dry"),
        ("nba_ingest", "from", 5),
        ("nba_release", "action", "delete"),
        ("nba_release", "reason", ""),
        ("nba_release", "to", "moon"),
    ],
)
def test_params_that_make_no_sense_are_refused(dag_bag, dag_id, name, value):
    from airflow.sdk.exceptions import ParamValidationError

    params = copy.deepcopy(dag_bag.dags[dag_id].params)
    with pytest.raises(ParamValidationError):
        params[name] = value


def test_the_release_form_offers_every_action_of_the_state_machine(dag_bag):
    from nba_ml.registry.rollout import ACTIONS

    offered = dag_bag.dags["nba_release"].params.get_param("action").schema["enum"]
    assert set(offered) == {"approve", *ACTIONS} - {"release"}


def test_a_question_can_be_answered_without_a_note(dag_bag):
    # The buttons of Airflow's form are disabled while a field that is not nullable is empty.
    for task in (task for dag in dag_bag.dags.values() for task in dag.tasks if task.operator_name == "HITLOperator"):
        for name in task.params:
            assert "null" in task.params.get_param(name).schema["type"], f"{task.task_id}: {name}"
            assert task.params[name] is None
    assert dag_bag.dags["nba_approve"].get_task("ask").params


def test_a_dag_survives_serialization(dag):
    from airflow.serialization.serialized_objects import DagSerialization

    again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert set(again.task_ids) == set(dag.task_ids)


def test_steps_that_dags_name_exist(dag_bag):
    found = 0
    for dag in dag_bag.dags.values():
        for task in dag.tasks:
            names = task.python_callable.__code__.co_freevars if hasattr(task, "python_callable") else ()
            if "module" in names:
                module = task.python_callable.__closure__[names.index("module")].cell_contents
                assert callable(getattr(importlib.import_module(module), task.task_id))
                found += 1
    assert found == 21


def test_assets_link_the_dags(dag_bag):
    def assets(dag_id, side):
        return {asset.name for task in dag_bag.dags[dag_id].tasks for asset in getattr(task, side)}

    assert assets("nba_ingest", "outlets") == {"nba_results"}
    assert assets("nba_train", "outlets") == {"nba_features", "nba_model"}
    assert assets("nba_predict", "outlets") == assets("nba_update", "outlets") == {"nba_features", "nba_predictions"}
    assert assets("nba_grade", "outlets") == {"nba_grades"}
    assert assets("nba_release", "outlets") == {"nba_model"}
    assert [asset.name for asset in dag_bag.dags["nba_approve"].timetable.asset_condition.objects] == ["nba_model"]
    assert [asset.name for asset in dag_bag.dags["nba_grade"].timetable.asset_condition.objects] == ["nba_results", "nba_predictions"]


def test_the_monitor_looks_between_the_hour_at_which_predictions_are_due_and_the_first_tipoff(dag_bag):
    hours = [int(hour) for hour in dag_bag.dags["nba_monitor"].timetable.expression.split()[1].split(",")]
    looks = [at_new_york(DAY, time(hour, 15)) for hour in hours]
    for minutes in range(12 * 60, 22 * 60 + 1, 30):
        tipoff = at_new_york(DAY, time(minutes // 60, minutes % 60))
        assert any(due_at("predict", DAY, tipoff) <= look < tipoff for look in looks), tipoff
    assert len(hours) == 7


def test_the_page_of_dags_is_up_to_date():
    done = subprocess.run([sys.executable, "scripts/dags_docs.py", "--check"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_training_runs_on_mondays_and_when_the_monitor_asks_for_it(dag_bag):
    timetable = dag_bag.dags["nba_train"].timetable
    assert [asset.name for asset in timetable.asset_condition.objects] == ["nba_retraining"]
    assert timetable.timetable.expression == "0 11 * * 1"
    assert {asset.name for asset in dag_bag.dags["nba_monitor"].get_task("retrain").outlets} == {"nba_retraining"}


@pytest.mark.parametrize(("setting", "hour"), [("daily", "0 11 * * *"), ("off", None)])
def test_when_training_runs_is_a_setting(monkeypatch, dag_bag, setting, hour):
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("NBA_ML_RETRAIN", setting)
    timetable = DagBag(dag_folder=dag_bag.dags["nba_train"].fileloc).dags["nba_train"].timetable
    assert getattr(getattr(timetable, "timetable", None), "expression", None) == hour
