# The relay in one image: every role is `relay <role>`. Built from the same hashed lock as the tests ran with.
FROM python:3.13-slim

RUN useradd --uid 10001 --create-home --home-dir /var/lib/relay relay
WORKDIR /opt/relay

COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore --require-hashes -r requirements.lock

COPY pyproject.toml README.md ./
COPY schemas schemas
COPY runtime runtime
COPY messaging messaging
COPY solid solid
COPY store store
COPY producers producers
COPY workers workers
COPY ops ops
COPY simulator simulator
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore --no-deps --no-build-isolation .

USER 10001
WORKDIR /var/lib/relay
ENV PYTHONUNBUFFERED=1
ENTRYPOINT ["relay"]
