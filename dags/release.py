"""# nba_release: what runs, decided by a person.

**What.** One decision about a model version, as one entry of the release log, in force from the next scoring on:

| action | version | what it does |
|---|---|---|
| `advance` | empty = the challenger, else the only shadow | one step further: shadow → 10 % → 50 % → 100 %, if the graded slates speak for it |
| `rollback` | empty = the last good one | takes the challenger out, else goes back; what is gone back to is verified whole first |
| `approve` | required | starts a candidate at 10 %, or at 100 % where nothing serves yet |
| `shadow` | required | has a candidate score along, unpublished |
| `reject` | required | notes that a candidate shall not run |
| `pin`, `unpin` | empty = the one that serves | freezes what runs, and ends that; a rollback stays possible |
| `retire` | required | ends a version for good: no rollback goes back to it by itself |
| `promote` | required, with `to` | makes what ran at 100 % here a candidate of another environment, the same bytes |

**When.** By hand only. Who triggered the run is written to the log, with the reason.

**When it fails**

- *UsageError*, *GateRefused*: the step is not allowed from where the version stands, the evidence is thin or bad, or
  what runs is pinned. The message names the state, the figure and the next step. Nothing was changed.
- *ArtefactError*: the version is not whole. Go back to another one with `version`.
- *Unavailable*: the store did not answer. Clear the task: a decision that was written is not written twice.

The same by hand: `nba-ml release advance --reason TEXT`; `nba-ml release show` tells what runs.
"""

from typing import Any

from airflow.sdk import Param, dag, task
from nba_assets import MODEL
from nba_context import open_context, report
from nba_defaults import DAG_DEFAULTS

ACTIONS = ["advance", "rollback", "approve", "shadow", "reject", "pin", "unpin", "retire", "promote"]
ENVIRONMENTS = ["staging", "production", "dev"]


@dag(
    dag_id="nba_release",
    dag_display_name="NBA 5 · release",
    description="Advance, roll back, pin or retire a model version by hand",
    doc_md=__doc__,
    schedule=None,
    tags=["nba", "release"],
    params={
        "action": Param("advance", enum=ACTIONS, title="Action", description="What to decide; the manual has a line on each"),
        "version": Param(
            None, type=["null", "string"], minLength=1, title="Version", description="As in nba_ops.model_registry; empty = see the manual"
        ),
        "to": Param(None, enum=[None, *ENVIRONMENTS], title="To", description="Environment to promote to; empty otherwise"),
        "reason": Param(type="string", minLength=3, title="Reason", description="Why; written to the release log"),
    },
    **DAG_DEFAULTS,
)
def nba_release() -> None:
    """Build the DAG."""

    @task(outlets=[MODEL])
    def decide(params: dict, dag_run: Any = None) -> dict:
        """Append the decision to the release log."""
        from nba_ml.registry import decisions

        actor = dag_run.triggering_user_name or "unknown"
        context = open_context()
        return report(decisions.decide(context, params["action"], params["version"], params["to"], actor=actor, reason=params["reason"]))

    decide()


nba_release()
