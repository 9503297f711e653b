"""The findings of `nba-ml doctor`."""

import threading
from datetime import date

import duckdb
import pytest

from nba_ml import alerts, doctor, google_calls, slate_calendar
from nba_ml.context import Context
from nba_ml.errors import UsageError
from nba_ml.notices import spool
from nba_ml.notices.delivery import deliver
from nba_ml.settings import Settings
from tests.fault_proxy import fault_proxy
from tests.slack_stub import PATH, slack_stub


class League:
    name = "league"

    def first_date(self):
        return date(2021, 10, 19)

    def last_date(self):
        return date(2022, 1, 1)


@pytest.fixture(autouse=True)
def _source(monkeypatch):
    monkeypatch.setattr(Context, "source", League())


def checks(found):
    return {check["check"]: check for check in found["checks"]}


def test_a_machine_that_is_set_up_is_fit():
    Context().warehouse.ensure()
    found = doctor.diagnose()
    assert found["ok"], found
    assert found["exit_status"] == 0
    assert set(checks(found)) == {"libraries", "settings", "disk", "calendar", "warehouse", "alerts", "store", "source"}
    assert found["versions"]["duckdb"] == duckdb.__version__
    assert doctor.diagnose() == found


def test_that_nobody_is_told_of_alerts_is_no_fault_but_could_be_better():
    Context().warehouse.ensure()
    found = doctor.diagnose()
    assert found["ok"]
    assert "no Slack webhook is set here" in checks(found)["alerts"]["detail"]
    assert checks(found)["alerts"]["next"].startswith("set NBA_ML_SLACK_WEBHOOK")


def test_a_webhook_that_takes_no_messages_is_wrong_and_told_without_its_address():
    context = Context()
    context.warehouse.ensure()
    alerts.write(context, alerts.Alert("c", "urgent", "It broke.", "look", "1"))
    with slack_stub() as stub:
        stub.answers = [404]
        settings = Settings(slack_webhook=stub.url)
        deliver(Context(settings))
    found = doctor.diagnose(lambda: settings)
    assert not found["ok"]
    assert "it answered 404" in checks(found)["alerts"]["detail"]
    assert checks(found)["alerts"]["next"] == "nba-ml alerts send"
    assert PATH not in str(found)


def test_a_kept_file_of_which_nothing_could_be_made_is_named():
    context = Context()
    context.warehouse.ensure()
    path = spool.folder(context) / "alert-x.json"
    spool.keep(path, {})
    deliver(context)
    found = checks(doctor.diagnose())["alerts"]
    assert "alert-x.unreadable" in found["detail"]
    assert "delete it" in found["next"]


def test_an_alert_that_slack_refuses_is_named():
    context = Context()
    context.warehouse.ensure()
    alerts.write(context, alerts.Alert("c", "urgent", "It broke.", "look", "1"))
    with slack_stub() as stub:
        stub.dislikes = "It broke."
        settings = Settings(slack_webhook=stub.url)
        deliver(Context(settings))
    found = checks(doctor.diagnose(lambda: settings))["alerts"]
    assert "c (refused: it answered 400 (invalid_blocks))" in found["detail"]
    assert found["next"] == "nba-ml alerts"


@pytest.mark.parametrize("content", ["{", "[]", '{"x": null}'])
def test_a_calendar_that_cannot_be_read_is_wrong_and_an_ingest_writes_it_again(content):
    context = Context()
    context.warehouse.ensure()
    (context.settings.home_folder / slate_calendar.FILE).write_text(content)
    found = checks(doctor.diagnose())["calendar"]
    assert not found["ok"]
    assert slate_calendar.FILE in found["detail"]
    assert found["next"].startswith("nba-ml ingest --from ")


def test_what_is_wrong_comes_with_the_next_step():
    found = doctor.diagnose(lambda: Settings(source="files"))
    wrong = checks(found)["warehouse"]
    assert not wrong["ok"]
    assert wrong["next"] == "nba-ml init"
    assert found["exit_status"] == 2


def test_wrong_settings_are_a_finding():
    def fail():
        raise UsageError("NBA_ML_SOURCE: Input should be …")

    found = doctor.diagnose(fail)
    assert list(checks(found)) == ["libraries", "settings"]
    assert (found["ok"], found["exit_status"], found["settings"]) == (False, 2, {})


def test_a_surprise_is_a_finding_too(monkeypatch):
    Context().warehouse.ensure()

    def fail(self):
        raise RuntimeError("the league is on strike")

    monkeypatch.setattr(League, "last_date", fail)
    found = doctor.diagnose()
    assert checks(found)["source"]["detail"] == "RuntimeError: the league is on strike"
    assert found["exit_status"] == 1


def test_a_store_that_cannot_be_written_is_found(tmp_path):
    (tmp_path / "store").write_text("a file where the folder should be")
    found = doctor.diagnose(lambda: Settings(home=tmp_path, store=f"file:{tmp_path / 'store'}"))
    assert not checks(found)["store"]["ok"]


def test_a_warehouse_that_is_held_is_worth_another_try():
    Context().warehouse.ensure()
    settings = Settings(lock_wait_seconds=0.1)
    warehouse = Context(settings).warehouse
    inside, done = threading.Event(), threading.Event()

    def hold():
        with warehouse._file.open(write=True):
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(10)
    found = doctor.diagnose(lambda: settings)
    done.set()
    thread.join()
    assert "again" in checks(found)["warehouse"]["next"]
    assert found["exit_status"] == 1


def test_settings_are_shown_with_defaults_and_without_secrets():
    class More(Settings):
        odds_token: str = "hidden"  # noqa: S105

    shown = doctor.masked(More(project="https://me:pass@host/x"))
    assert shown["NBA_ML_PROJECT"] == "https://********@host/x"
    assert shown["NBA_ML_STORE"].startswith("file:")
    assert shown["NBA_ML_APPROVAL"] == "auto"
    assert shown["NBA_ML_FILES_DIR"] is None
    assert "hidden" not in str(doctor.masked(More()))
    webhook = doctor.masked(More(slack_webhook="https://hooks.example.com/T0"))["NBA_ML_SLACK_WEBHOOK"]
    assert webhook == "********"


# on Google


BIGQUERY = ["credentials", "run a job", "create a table", "write", "read", "storage read", "drop a table"]
GCS = ["credentials", "list", "create", "read"]


@pytest.fixture
def google(bigquery_names, gcs_bucket, monkeypatch):
    """Return the settings of emulated services whose datasets are there."""
    settings = Settings(
        warehouse="bigquery", project=bigquery_names.project, dataset_prefix=bigquery_names.prefix, store=f"gs://{gcs_bucket[1]}/x"
    )
    # The permissions do not depend on the tables, which take their time; nor can alerts be read without them.
    monkeypatch.setattr(doctor, "_alerts", lambda context: "none are looked for")
    monkeypatch.setattr("nba_ml.warehouse.schema.tables", lambda: {})
    monkeypatch.setattr("nba_ml.warehouse.catalogue.views", lambda: ())
    Context(settings).warehouse.ensure()
    return settings


def test_each_permission_is_tried_by_itself_and_leaves_nothing(google, bigquery_names):
    found = doctor.diagnose(lambda: google)
    assert found["ok"], found
    assert [name for name in checks(found) if ": " in name] == [f"bigquery: {name}" for name in BIGQUERY] + [f"gcs: {name}" for name in GCS]
    client = Context(google).warehouse.client.client
    assert [table.table_id for table in client.list_tables(bigquery_names.dataset("nba_staging")) if "doctor" in table.table_id] == []


@pytest.mark.parametrize(
    ("what", "check", "permission", "role", "follows"),
    [
        ("SELECT 1 AS", "run a job", "bigquery.jobs.create", "roles/bigquery.jobUser", []),
        ("CREATE TABLE", "create a table", "bigquery.tables.create", "roles/bigquery.dataEditor", []),
        ("INSERT INTO", "write", "bigquery.tables.updateData", "roles/bigquery.dataEditor", BIGQUERY[4:]),
        ("SELECT one", "read", "bigquery.tables.getData", "roles/bigquery.data", BIGQUERY[5:]),
    ],
)
def test_a_permission_that_is_missing_in_bigquery_comes_with_its_role(google, monkeypatch, what, check, permission, role, follows):
    from google.api_core.exceptions import Forbidden
    from google.cloud import bigquery

    honest = bigquery.Client.query

    def refuse(self, query, *arguments, **more):
        if query.startswith(what):
            raise Forbidden(f"Access Denied: Project p: User does not have {permission} permission in project p.")
        return honest(self, query, *arguments, **more)

    monkeypatch.setattr(bigquery.Client, "query", refuse)
    found = doctor.diagnose(lambda: google)
    wrong = checks(found)[f"bigquery: {check}"]
    assert not wrong["ok"]
    assert permission in wrong["detail"]
    assert role in wrong["next"]
    assert wrong["next"].startswith(("gcloud projects add-iam-policy-binding", "bq query"))
    assert "\n" not in wrong["detail"] + wrong["next"]
    tried = [name.removeprefix("bigquery: ") for name in checks(found) if name.startswith("bigquery: ")]
    assert tried[tried.index(check) + 1 :] == follows
    assert found["exit_status"] == 2


@pytest.mark.parametrize(("method", "check", "role"), [("POST", "create", "objectCreator"), ("GET", "list", "objectViewer")])
def test_a_permission_that_is_missing_in_gcs_comes_with_its_role(google, gcs_emulator, monkeypatch, method, check, role):
    with fault_proxy(gcs_emulator.url) as proxy:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
        proxy.fail(f"^{method} .*/o", *[403] * 20)
        found = doctor.diagnose(lambda: google)
    wrong = checks(found)[f"gcs: {check}"]
    assert wrong["next"].startswith("gcloud storage buckets add-iam-policy-binding gs://test-")
    assert wrong["next"].endswith(f"--role=roles/storage.{role}")


def test_what_is_not_there_is_one_line_and_the_rest_is_left(google, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr(google_calls, "RETRY_SECONDS", 1.0)
    found = doctor.diagnose(lambda: google.model_copy(update={"dataset_prefix": "nobody_"}))
    assert "nba-ml init" in checks(found)["bigquery: create a table"]["detail"]
    assert "again" in checks(found)["gcs: list"]["next"]
    assert not {"bigquery: write", "warehouse", "gcs: create", "store"} & set(checks(found))
