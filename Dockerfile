# Arthur on CPUs. Build: docker build -t arthur .   Run: docker run -p 9000:9000 -v arthur:/data arthur
FROM rust:1.95.0-slim-bookworm AS rust

FROM python:3.12.8-slim-bookworm AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
# what compiles the extension and pillow-simd; none of it is in the image that runs
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        cmake g++ gcc libjpeg62-turbo-dev liblcms2-dev libopenjp2-7-dev libtiff-dev libwebp-dev make nasm zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
COPY --from=rust /usr/local/cargo /usr/local/cargo
COPY --from=rust /usr/local/rustup /usr/local/rustup
ENV CARGO_HOME=/usr/local/cargo RUSTUP_HOME=/usr/local/rustup PATH=/opt/arthur/bin:/usr/local/cargo/bin:$PATH
WORKDIR /src
COPY requirements requirements
# SIMD: what the processors that run it have; -msse4 for those older than 2013
ARG SIMD=-mavx2
RUN python -m venv /opt/arthur \
    && pip install --no-cache-dir --no-deps --require-hashes -r requirements/image.txt \
    && CC="cc $SIMD" pip install --no-cache-dir --no-deps --no-binary pillow-simd --require-hashes \
        -r requirements/pillow-simd.txt
COPY Cargo.toml Cargo.lock rust-toolchain.toml pyproject.toml README.md LICENSE ./
COPY rust rust
COPY engines engines
COPY python python
RUN python -m venv /opt/maturin \
    && /opt/maturin/bin/pip install --no-cache-dir maturin==1.16.0 \
    && /opt/maturin/bin/maturin build --release --locked --interpreter python --out /wheels \
    && pip install --no-cache-dir --no-deps /wheels/*.whl \
    && arthur --version

FROM python:3.12.8-slim-bookworm AS run
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        libjpeg62-turbo liblcms2-2 libopenjp2-7 libtiff6 libwebp7 libwebpdemux2 libwebpmux3 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 arthur \
    && useradd --uid 10001 --gid arthur --no-create-home --shell /usr/sbin/nologin arthur \
    && install --directory --owner arthur --group arthur /data
COPY --from=build /opt/arthur /opt/arthur
ENV PATH=/opt/arthur/bin:$PATH ARTHUR_DATA=/data ARTHUR_HOST=0.0.0.0 ARTHUR_PORT=9000
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 9000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"ARTHUR_PORT\"]}/readyz', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["arthur", "serve"]
