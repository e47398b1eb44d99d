# syntax=docker/dockerfile:1
# The image of a Vigia process (worker, migration, web): Python 3.11, the locked dependencies, the code, nothing else.
# Never built where it was written, for want of a container engine; the lock's wheels were all found for this platform.

FROM python:3.11-slim-bookworm AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
RUN python -m venv /opt/venv
COPY requirements.lock .
# Wheels only: a source package would need a compiler and run code of its own here.
RUN --mount=type=cache,target=/var/cache/pip,id=pip \
    /opt/venv/bin/pip install --cache-dir /var/cache/pip --require-hashes --only-binary=:all: -r requirements.lock

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN groupadd --system --gid 10001 vigia \
    && useradd --system --uid 10001 --gid vigia --no-create-home --shell /usr/sbin/nologin vigia
COPY --from=dependencies /opt/venv /opt/venv
WORKDIR /srv/vigia
COPY LICENSE NOTICE ./
# The catalog of teams and the detectors' limits: mount other files over these, or name them (docs/settings.md).
COPY config ./config
COPY vigia ./vigia
# Compiled once here, since the worker's file system is read-only and belongs to root.
RUN python -m compileall -q vigia
USER 10001:10001
ENTRYPOINT ["python", "-m", "vigia"]
CMD ["worker"]
