# The kit without the lab, which needs nft and namespaces of its own: docker build -t nftconform:0.1.0 .
# python:3.12-slim on Debian trixie, the index of all platforms, as of November 2026.
ARG BASE=docker.io/library/python:3.12-slim@sha256:78387bc3881b8273120a12ebe6c1ab22b018ccc2c9adf565ae1ac9b536e184ea

FROM ${BASE} AS build
WORKDIR /kit
COPY pyproject.toml tox.ini conftest.py README.md LICENSE ./
COPY conformance/ conformance/
COPY suites/ suites/
COPY fixtures/ fixtures/
COPY reports/ reports/
RUN python -m venv /opt/nftconform && /opt/nftconform/bin/pip install --no-cache-dir .

FROM ${BASE}
COPY --from=build /opt/nftconform /opt/nftconform
ENV PATH=/opt/nftconform/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /tmp
USER 65532:65532
ENTRYPOINT ["nftconform"]
