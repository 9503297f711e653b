#!/usr/bin/env bash
# Builds .venv from requirements-dev.txt, or does nothing where it is up to date. All that it installs stays in .venv and .uv.
# Usage: scripts/env.sh [PYTHON], a version (3.12) or the path of an interpreter; without it NBA_ML_PYTHON, else one found.
set -euo pipefail
cd "$(dirname "$0")/.."

asked=${1:-${NBA_ML_PYTHON:-}}
export UV_PYTHON_INSTALL_DIR="$PWD/.uv/python"

say() { printf 'env: %s\n' "$*" >&2; }
refuse() { say "$*"; exit 2; }
version_of() { "$1" -c 'import platform; print(platform.python_version())' 2>/dev/null; }
supported() { case $1 in 3.11 | 3.11.* | 3.12 | 3.12.* | 3.13 | 3.13.*) ;; *) return 1 ;; esac; }
locked() { cat requirements-dev.txt pyproject.toml; }

case $asked in
    "") version="" ;;
    [0-9]*) version=$asked ;;
    *) version=$(version_of "$asked") || refuse "$asked is no Python that runs: give a version (PYTHON=3.12) or an interpreter's path" ;;
esac
[ -z "$version" ] || supported "$version" || refuse "Python $version is not supported: give 3.11, 3.12 or 3.13"

# The stamp is written last: without it, whatever an interrupted build left is thrown away.
whole=no
if [ -f .venv/built ] && present=$(version_of .venv/bin/python) && supported "$present"; then
    case $present in ${version:-$present} | "$version".*) whole=yes ;; esac
fi
if [ $whole = yes ] && locked | cmp -s - .venv/built; then
    exit 0
fi

uv=$(command -v uv || true)
if [ -n "$uv" ]; then
    case $("$uv" --version 2>/dev/null) in "uv 0."[0-7].* | "") uv="" ;; esac
fi
if [ -z "$uv" ]; then
    uv=.uv/bin/uv
    if ! "$uv" --version >/dev/null 2>&1; then
        say "no recent uv on PATH: installing it into .uv"
        python3 -m venv --clear .uv >&2 || refuse "python3 can't make a virtual environment: install its venv module (Debian: python3-venv), or uv"
        .uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt >&2
    fi
fi

if [ $whole = no ]; then
    interpreter=$asked
    if [ -z "$asked" ]; then
        for candidate in python3 python3.13 python3.12 python3.11 python; do
            if found=$(version_of "$candidate") && supported "$found"; then
                interpreter=$(command -v "$candidate")
                break
            fi
        done
    fi
    interpreter=${interpreter:-3.12}
    case $interpreter in
        [0-9]*)
            if ! "$uv" python find --quiet --no-python-downloads "$interpreter" >/dev/null 2>&1; then
                say "no Python $interpreter on this machine: uv fetches one into .uv/python"
                "$uv" python install --quiet --no-bin "$interpreter" >&2
            fi
            ;;
    esac
    rm -rf .venv
    "$uv" venv --quiet --python "$interpreter" .venv >&2
    say "Python $(version_of .venv/bin/python), from $interpreter; about 2.5 GB follow, one to a few minutes"
fi

rm -f .venv/built
say "installing requirements-dev.txt into .venv"
"$uv" pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode requirements-dev.txt >&2
"$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --offline -e . >&2
locked >.venv/built.part
mv .venv/built.part .venv/built
say "ready"
