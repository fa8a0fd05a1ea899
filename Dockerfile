# The program, and what it needs at run time: rustc for rewards in Rust (the grammar's and a language model's), Python for building the guest of rewards in Python.
#   docker build -t reward-search .
#   docker run --rm -v "$PWD:/work" reward-search run /opt/reward-search/configs/quickstart.toml
#   docker run --rm -v "$PWD:/work" -p 127.0.0.1:7878:7878 reward-search serve quickstart.db --host 0.0.0.0 --token "$(openssl rand -hex 16)"
FROM rust:1.95-bookworm AS build
WORKDIR /opt/reward-search
COPY . .
RUN rustup show && cargo install --locked --path orchestrator --root /opt/built

FROM rust:1.95-slim-bookworm
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && rustup target add wasm32-unknown-unknown \
 && useradd --create-home --uid 1000 searcher \
 && mkdir /work && chown searcher /work
COPY --from=build /opt/built/bin/reward-search /usr/local/bin/reward-search
COPY configs /opt/reward-search/configs
USER searcher
WORKDIR /work
ENTRYPOINT ["reward-search"]
CMD ["doctor"]
