# The image of Pando: pandod and pando on a slim Debian, for user 65532.
#
#   docker build -t pando:0.1.0 .
#
# On a machine with the same Debian, which has just built and tested the binaries, without compiling:
#   install -s -D -t build/image build/release/bin/pandod build/release/bin/pando
#   docker build -t pando:0.1.0 --build-arg BINARIES=prebuilt .
ARG BASE=docker.io/library/debian:12-slim
ARG BINARIES=compiled

FROM ${BASE} AS compiled
WORKDIR /src
COPY . .
RUN scripts/install-deps && scripts/build release pandod pando && \
  install -s -D -t /out build/release/bin/pandod build/release/bin/pando

FROM ${BASE} AS prebuilt
COPY build/image/ /out/

FROM ${BINARIES} AS binaries

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Pando" \
      org.opencontainers.image.description="A replicated tree of small nodes for other programs to agree on" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN apt-get update -q && \
  apt-get install -y -q --no-install-recommends \
    libcpp-httplib0.11 libgrpc++1.51 libjemalloc2 libleveldb1d libnghttp2-14 libprometheus-cpp-core1.0 libprotobuf32 libssl3 && \
  rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*.log /var/log/apt && \
  install -d -o 65532 -g 65532 -m 0700 /var/lib/pando
COPY --from=binaries /out/ /usr/bin/
USER 65532:65532
VOLUME /var/lib/pando
ENV PANDO_ID=1 \
    PANDO_DATA_DIR=/var/lib/pando/data \
    PANDO_LISTEN_CLIENT=0.0.0.0:7400 \
    PANDO_LISTEN_PEER=0.0.0.0:7401 \
    PANDO_LISTEN_HTTP=0.0.0.0:7402
EXPOSE 7400 7401 7402
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["pando", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/pandod"]
