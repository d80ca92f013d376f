# The relay in one image: every role is `relay <role>`. Its packages are those of requirements.run.lock and no others:
# no tools of tests, nothing that builds, and no pip in the relay's own environment.
FROM python:3.13-slim AS build

# The wheel of the relay is built with what the tests were run with; none of it comes into the image.
WORKDIR /build
COPY requirements.lock requirements.run.lock ./
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN sed -n '/^setuptools==/,/^[^ ]/{/^setuptools==/p;/^ /p}' requirements.lock >build.lock \
    && pip install --require-hashes -r build.lock \
    && python -m venv --without-pip /opt/relay \
    && pip --python /opt/relay/bin/python install --require-hashes -r requirements.run.lock

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
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip --python /opt/relay/bin/python install --no-deps --no-index /wheels/*.whl


FROM python:3.13-slim

RUN useradd --uid 10001 --create-home --home-dir /var/lib/relay --shell /usr/sbin/nologin relay
COPY --from=build /opt/relay /opt/relay

USER 10001
WORKDIR /var/lib/relay
ENV PATH=/opt/relay/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENTRYPOINT ["relay"]
# No HEALTHCHECK: what shows that a role is well differs from role to role; compose.yaml says it for the receiver.
