"""# nba_approve: a person decides whether a new version runs.

**What.** Shows what training published, beside what serves: errors on the backtest, gates, differences, a link to the
report. The answer is one entry of the release log, in the name of who gave it:

- *Approve* starts it at 10 % of the rows, or at 100 % where nothing serves yet; `nba_release` takes it further.
- *Approve for shadow only* has it score along; nothing of it is published.
- *Reject* notes that it shall not run; the note says why.
- *Not now*, or no answer within 20 hours: it stays a candidate. Trigger this DAG to be asked again.

Slack is told when the question opens, again when nobody answered, and when it was decided, by whatever way.

**When.** After each training and each promotion, where `NBA_ML_APPROVAL=person`; where releases are automatic it ends at
once. Trigger it with `version` to be asked about another candidate. The question is under *Required Actions*; an
answer in its first seconds, before the task is *awaiting input*, can be lost by Airflow: then it is asked again.

**When it fails**

- *decide* with *GateRefused*: somebody decided on the version meanwhile, or what runs is pinned. Nothing was changed; the
  message says who, when and why.
- *decide* with *UsageError*: a rejection without a note. Clear the task `ask` and answer again.
- *ArtefactError*: the version is not whole: it can't run. Train again.
- *Unavailable*: the store did not answer. Clear the task: a decision that was written is not written twice.

The same by hand: `nba-ml release approve VERSION --reason TEXT`.
"""

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param, dag, task
from nba_assets import MODEL
from nba_context import open_context, report
from nba_defaults import DAG_DEFAULTS
from nba_slack import NbaNotifier

from nba_ml.registry.choices import NOBODY, Choice

ANSWER_WITHIN = timedelta(hours=20)


@dag(
    dag_id="nba_approve",
    dag_display_name="NBA 2b · approve",
    description="A person approves or rejects a new model version",
    doc_md=__doc__,
    schedule=[MODEL],
    tags=["nba", "release"],
    params={
        "version": Param(None, type=["null", "string"], minLength=1, title="Version", description="Which candidate; empty = the newest"),
    },
    **(DAG_DEFAULTS | {"dagrun_timeout": timedelta(hours=24)}),
)
def nba_approve() -> None:
    """Build the DAG."""

    @task.short_circuit
    def question(params: dict) -> dict:
        """Put the question together; where nobody has to be asked, end here."""
        from nba_ml.registry import approval

        return report(approval.question(open_context(), params["version"]))

    ask = HITLOperator(
        task_id="ask",
        doc_md="Wait for a person's answer.",
        subject="{{ ti.xcom_pull(task_ids='question')['subject'] }}",
        body="{{ ti.xcom_pull(task_ids='question')['body'] }}",
        options=[choice.value for choice in Choice],
        defaults=Choice.LATER.value,
        response_timeout=ANSWER_WITHIN,
        notifiers=NbaNotifier("approval wanted"),
        # The form's buttons stay grey while a text that may not be null is empty.
        params={
            "note": Param(None, type=["null", "string"], title="Note", description="Why; written to the release log. A rejection needs one")
        },
    )

    @task
    def decide(asked: dict, answered: Any) -> dict:
        """Append the answer to the release log, in the name of who gave it."""
        from nba_ml.registry import approval

        person = answered["responded_by_user"]
        actor = person["name"] if person else NOBODY
        note = answered["params_input"].get("note") or ""
        return report(approval.answer(open_context(), asked, answered["chosen_options"][0], actor=actor, note=note))

    asked = question()
    asked >> ask
    decide(asked, ask.output)


nba_approve()
