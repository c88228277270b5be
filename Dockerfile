# docker build -t bugle . && docker run -p 8000:8000 -v bugle:/data bugle
# Where no registry can be reached, both base images can be made locally: --build-arg BUILD_IMAGE=… RUNTIME_IMAGE=…
ARG BUILD_IMAGE=rust:1-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /bugle
COPY script/bootstrap script/environment.sh script/
COPY Cargo.toml Cargo.lock ./
RUN script/bootstrap
# The dependencies alone first: a layer that stays as long as Cargo.lock does.
RUN mkdir src && echo 'fn main() {}' > src/main.rs && touch src/lib.rs \
    && cargo build --release --locked --bin bugle \
    && rm -r src
COPY . .
# Names of functions stay for backtraces; what a debugger would want goes.
RUN touch src/main.rs src/lib.rs \
    && cargo build --release --locked --bin bugle \
    && strip --strip-debug -o /usr/local/bin/bugle target/release/bugle

FROM ${RUNTIME_IMAGE}
RUN dpkg -s libpq5 libmariadb3 ca-certificates > /dev/null 2>&1 \
    || (apt-get update \
        && apt-get install -y --no-install-recommends libpq5 libmariadb3 ca-certificates \
        && rm -rf /var/lib/apt/lists/*)
RUN groupadd --system --gid 10001 bugle \
    && useradd --system --uid 10001 --gid bugle --home-dir /data --no-create-home --shell /usr/sbin/nologin bugle \
    && install -d -o bugle -g bugle -m 0700 /data
COPY --from=build /usr/local/bin/bugle /usr/local/bin/bugle
USER bugle
ENV BUGLE_LISTEN=0.0.0.0:8000 \
    BUGLE_DATA_DIR=/data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["bugle", "healthcheck"]
ENTRYPOINT ["bugle"]
CMD ["serve"]
