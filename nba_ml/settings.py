"""Every setting of the platform, in one object read from NBA_ML_* variables and `.env`."""

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from nba_ml.errors import UsageError
from nba_ml.redaction import without_login


class Settings(BaseSettings):
    """Settings with their defaults; the embedded default needs none of them."""

    model_config = SettingsConfigDict(env_prefix="NBA_ML_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    home: Path = Field(Path(".nba_ml"), description="folder of the embedded default")
    warehouse: Literal["duckdb", "bigquery"] = Field("duckdb", description="where tables live")
    project: str | None = Field(None, description="BigQuery project")
    location: str = Field("US", description="BigQuery location")
    dataset_prefix: str = Field("", pattern=r"^[A-Za-z0-9_]*$", description="prefix of the three BigQuery datasets")
    maximum_bytes_billed: int = Field(20 * 1024**3, gt=0, description="most bytes that one BigQuery statement may be billed for")
    store: str = Field("", description="file:… or gs://bucket/prefix; empty = the folder `store` of the home")
    source: Literal["simulated", "files", "live", "feature_store"] = Field("simulated", description="where raw data comes from")
    files_dir: Path | None = Field(None, description="folder of parquet files for the source `files`")
    feature_store: str | None = Field(None, description="a team's own feature table, read only")
    existing_grades: str | None = Field(
        None,
        description="a team's own graded predictions (project.dataset.table, or a parquet file), read only, which a new model has to beat",
    )
    feature_store_outcomes: str = Field(
        "nba_analytics.player_game_summary", description="the team's points and minutes of each player-game"
    )
    feature_store_players: str = Field("nba_reference.nba_players_registry", description="the team's player_lookup → player_id")
    feature_store_schedule: str = Field("nba_raw.nbac_schedule", description="the team's scheduled games")
    feature_store_lines: str | None = Field(None, description="the team's quotes on players' points; none = the lines of the outcomes")
    feature_store_version: str | None = Field(None, description="the one feature_version that is used; none = there is only one")
    feature_store_names: Path | None = Field(
        None, description="text file with the names of feature_0_value, feature_1_value, …, one a line"
    )
    feature_store_exclude: str = Field(
        "vegas,line,odds,prop,spread,implied,book",
        description="features that are not learned from: comma-separated names, or words that a name holds between its underscores",
    )
    environment: Literal["dev", "staging", "production"] = Field("dev", description="release log and alert texts")
    approval: Literal["auto", "person"] | None = Field(None, description="whether a release waits for a person")
    slack_webhook: SecretStr | None = Field(None, description="address of the Slack webhook that takes urgent alerts")
    slack_webhook_notices: SecretStr | None = Field(
        None, description="address of the Slack webhook that takes warnings and notices; none = that of urgent alerts"
    )
    ping_url: SecretStr | None = Field(
        None, description="address of an uptime service, which is asked for after every good slate: when it hears nothing, it tells people"
    )
    retrain: Literal["weekly", "daily", "off"] = Field(
        "weekly", description="when nba_train runs by itself: Mondays and on request of the monitor, daily and on request, or by hand only"
    )
    seed: int = Field(20211019, description="seed of the simulated league and of every random choice")
    lock_wait_seconds: float = Field(
        60.0, gt=0, description="how long an operation waits for the warehouse file, or for other writers of a BigQuery table"
    )
    simulated_until: str | None = Field(
        None, description="the simulated league's last played date (YYYY-MM-DD); empty = yesterday in New York"
    )
    simulated_defects: str = Field("", description="comma-separated defects that the simulated feed carries")

    @field_validator("slack_webhook", "slack_webhook_notices", "ping_url")
    @classmethod
    def _an_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("it is an address, https://…")
        return value

    @model_validator(mode="after")
    def _coherent(self) -> "Settings":
        if self.approval == "auto" and self.environment != "dev":
            raise ValueError(
                f"approval=auto is refused in {self.environment}: outside dev a person approves a release; unset NBA_ML_APPROVAL"
            )
        if self.store and not self.store.startswith(("file:", "gs://")):
            raise ValueError(f"{without_login(self.store)!r} is neither file:… nor gs://bucket/prefix; correct NBA_ML_STORE")
        return self

    @property
    def release_approval(self) -> Literal["auto", "person"]:
        """Whether a release waits for a person, with the default of the environment filled in."""
        return self.approval or ("auto" if self.environment == "dev" else "person")

    @cached_property
    def home_folder(self) -> Path:
        """The home as an absolute path."""
        return self.home.expanduser().resolve()

    @property
    def store_url(self) -> str:
        """The object store, with the default filled in."""
        return self.store or f"file:{self.home_folder / 'store'}"

    @property
    def duckdb_path(self) -> Path:
        """The file of the embedded warehouse."""
        return self.home_folder / "warehouse.duckdb"


def load_settings() -> Settings:
    """Read the settings.

    Raises
    ------
    UsageError
        Naming each variable that is wrong.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = "NBA_ML_" + "_".join(str(part) for part in problem["loc"]).upper() if problem["loc"] else "settings"
            lines.append(f"{name}: {problem['msg'].removeprefix('Value error, ')}")
        raise UsageError("; ".join(lines)) from None
