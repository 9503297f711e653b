"""What starts a grading, as the scheduler decides it: predictions or results of a slate, and a correction alone."""

import pytest

pytestmark = pytest.mark.airflow

SLATE = "2025-01-05"


@pytest.fixture
def scheduler(dag_bag):
    """Return how to tell an asset's partition, and which slates the scheduler then grades; no run of it stays in the database."""
    from airflow.assets.manager import asset_manager
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import sync_bag_to_db
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.sdk import Asset
    from airflow.utils.session import create_session
    from sqlalchemy import select, update

    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(dag_bag, "dags-folder", None)
    runner = SchedulerJobRunner(job=Job())
    with create_session() as session:
        session.execute(update(DagModel).values(is_paused=False))
        session.commit()

        def tell(asset, slate):
            asset_manager.register_asset_change(asset=Asset(asset), partition_key=slate, session=session)
            session.flush()

        def graded():
            runner._create_dagruns_for_partitioned_asset_dags(session)
            session.flush()
            runs = session.scalars(select(DagRun).where(DagRun.dag_id == "nba_grade", DagRun.partition_key.is_not(None)))
            return sorted(run.partition_key for run in runs)

        yield tell, graded
        session.rollback()


def test_predictions_results_and_a_correction_alone_each_start_a_grading(scheduler):
    tell, graded = scheduler
    tell("nba_predictions", SLATE)
    assert graded() == [SLATE]
    tell("nba_predictions", SLATE)  # the update
    tell("nba_results", SLATE)
    assert graded() == [SLATE] * 2
    tell("nba_results", SLATE)  # the league corrected a box score
    assert graded() == [SLATE] * 3
    assert graded() == [SLATE] * 3


def test_each_slate_is_graded_by_itself(scheduler):
    tell, graded = scheduler
    for day in ("2025-01-07", SLATE):
        tell("nba_results", day)
    assert graded() == [SLATE, "2025-01-07"]
