# docker build -f images/operator.Dockerfile -t evaljob-operator:0.1.0 .
# What is in it: images/contents.py, for this way and for the one without a container engine (./dev images).
FROM debian:12 AS build
WORKDIR /src
COPY . .
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && ./dev images --only operator --tree

FROM scratch
COPY --from=build /src/build/images/ /
ENV PATH=/usr/local/bin:/usr/bin:/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
LABEL org.opencontainers.image.title="evaljob-operator" \
      org.opencontainers.image.description="EvalJob's operator: makes EvalJobs happen in a Kubernetes cluster" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /tmp
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/evaljob-operator"]
