# The emulator of BigQuery for docker-compose.yaml's profile `emulators`: local-bigquery from its lock, and the launcher of this project.
FROM python:3.13-slim
RUN useradd --uid 50000 --user-group --no-create-home emulator && install -d -o emulator -g emulator /var/lib/bigquery
COPY requirements-uv.txt requirements-emulators.txt ./
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --require-hashes -r requirements-uv.txt \
    && /opt/uv/bin/uv venv --python /usr/local/bin/python /opt/venv \
    && /opt/uv/bin/uv pip sync --no-cache --python /opt/venv/bin/python --require-hashes --compile-bytecode requirements-emulators.txt
COPY scripts/bigquery_emulator.py /opt/
USER emulator
# DuckDB keeps the extensions that the launcher brings in the home.
ENV HOME=/var/lib/bigquery
CMD ["/opt/venv/bin/python", "/opt/bigquery_emulator.py", "--host", "0.0.0.0", "--data-dir", "/var/lib/bigquery/data"]
