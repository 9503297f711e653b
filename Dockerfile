# The image of every Airflow component and of the command line: the lock's packages, byte-compiled, and the project.
FROM python:3.12-slim AS build
WORKDIR /opt/nba-ml
COPY requirements-uv.txt ./
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --require-hashes -r requirements-uv.txt
COPY requirements.txt ./
RUN /opt/uv/bin/uv venv --python /usr/local/bin/python /opt/venv \
    && /opt/uv/bin/uv pip sync --no-cache --python /opt/venv/bin/python --require-hashes --compile-bytecode requirements.txt
COPY requirements-dev.txt pyproject.toml README.md LICENSE ./
COPY nba_ml ./nba_ml
# What builds the package comes from the development lock, by its hashes.
RUN /opt/uv/bin/uv pip install --no-cache --python /opt/venv/bin/python --no-deps --build-constraints requirements-dev.txt --editable .

FROM python:3.12-slim
# The image has no repository: this says which commit a model's manifest names.
ARG NBA_ML_COMMIT=
RUN useradd --uid 50000 --user-group --no-create-home --home-dir /opt/airflow nba-ml \
    && install -d -o nba-ml -g nba-ml /opt/airflow /opt/airflow/logs /opt/nba-ml /var/lib/nba-ml
COPY --from=build /opt/venv /opt/venv
COPY --chown=nba-ml:nba-ml . /opt/nba-ml
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONPATH=/opt/nba-ml \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/nba-ml/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/nba-ml/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    NBA_ML_COMMIT=$NBA_ML_COMMIT \
    NBA_ML_HOME=/var/lib/nba-ml \
    GX_ANALYTICS_ENABLED=false \
    GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT=false
USER nba-ml
WORKDIR /opt/nba-ml
CMD ["nba-ml", "--help"]
