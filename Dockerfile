# The worker: consumes the topics, records lineage in DuckDB, publishes flags.
FROM python:3.11.9-slim-bookworm
WORKDIR /app
COPY requirements/run.lock requirements/
RUN pip install --no-cache-dir --require-hashes --requirement requirements/run.lock
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY lineage lineage
COPY streams streams
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
    && useradd --create-home lineage && install -d -o lineage /data
USER lineage
VOLUME /data
ENV LINEAGE_DB=/data/lineage.duckdb
ENTRYPOINT ["lineage"]
CMD ["worker", "--db", "/data/lineage.duckdb"]
