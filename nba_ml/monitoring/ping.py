"""A sign of life to an uptime service: when it stops to come, somebody outside notices, even if this whole machine is gone."""

import logging
import urllib.request
from collections.abc import Mapping
from typing import Any

from nba_ml.settings import Settings

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10


def ping(settings: Settings) -> bool:
    """Ask for the address of NBA_ML_PING_URL; return whether it answered. Never raises, and does nothing where none is set."""
    if settings.ping_url is None:
        return False
    try:
        with urllib.request.urlopen(settings.ping_url.get_secret_value(), timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  http(s) only
            answer.read(1)
    except Exception as error:
        # urllib and the socket raise many things, and no task may fail for a ping. Their texts may hold the address, which is a secret.
        what = f"{type(error).__name__} {getattr(error, 'code', '')}".strip()
        log.warning("the ping of NBA_ML_PING_URL failed (%s): try the address with curl, and correct the setting", what)
        return False
    log.info("the uptime service was pinged")
    return True


def after_slate(settings: Settings, published: Mapping[str, Any]) -> bool:
    """Give the sign of life for a slate that was published live, as `nba_ml.slate.steps.publish` answers; replays are none."""
    return bool(published["mode"] == "live" and published["published"]) and ping(settings)
