#!/usr/bin/env bash
# Compiles the locks from pyproject.toml. They hold for every supported Python and platform, and spell out no address.
# What is locked stays as it is where pyproject.toml allows it. Usage: scripts/lock.sh [--upgrade-package NAME]…
set -euo pipefail
cd "$(dirname "$0")/.."

options=$*
uv=$(command -v uv || echo .uv/bin/uv)
compile() { "$uv" pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 $options "$@"; }

compile pyproject.toml -o requirements.txt
compile pyproject.toml --extra dev -c requirements.txt -o requirements-dev.txt
compile --group pyproject.toml:uv -o requirements-uv.txt
