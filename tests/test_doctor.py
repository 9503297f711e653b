"""The findings of `nba-ml doctor`."""

import threading
from datetime import date

import duckdb
import pytest
from pydantic import SecretStr

from nba_ml import doctor
from nba_ml.context import Context
from nba_ml.errors import UsageError
from nba_ml.settings import Settings


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
    assert set(checks(found)) == {"libraries", "settings", "disk", "warehouse", "store", "source"}
    assert found["versions"]["duckdb"] == duckdb.__version__
    assert doctor.diagnose() == found


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
        slack_webhook: SecretStr = SecretStr("hook")
        odds_token: str = "hidden"  # noqa: S105

    shown = doctor.masked(More(project="https://me:pass@host/x"))
    assert shown["NBA_ML_PROJECT"] == "https://********@host/x"
    assert shown["NBA_ML_STORE"].startswith("file:")
    assert shown["NBA_ML_APPROVAL"] == "auto"
    assert shown["NBA_ML_FILES_DIR"] is None
    assert "hidden" not in str(doctor.masked(More()))
    assert "hook" not in str(doctor.masked(More()))
