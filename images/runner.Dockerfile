# docker build -f images/runner.Dockerfile -t evaljob-runner:0.1.0 .
# docker build -f images/runner.Dockerfile -t evaljob-runner:0.1.0-cuda --build-arg TORCH=cuda .
# What is in it: images/contents.py, for this way and for the one without a container engine (./dev images).
FROM debian:12 AS build
ARG TORCH=cpu
WORKDIR /src
COPY . .
# TORCH=cuda takes PyPI's wheel whole, with NVIDIA's libraries that it names; the GPU's driver comes from the node.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates python3-pip && \
    if [ "$TORCH" = cuda ]; then \
        python3 -m pip install --quiet --no-compile --break-system-packages --target /torch "$(grep -o '^torch==[0-9.]*' cmake/libtorch.txt)" && \
        export EVALJOB_TORCH_DIR=/torch/torch; \
    fi && \
    ./dev images --only runner --tree

FROM scratch
COPY --from=build /src/build/images/ /
ENV PATH=/usr/local/bin:/usr/bin:/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt NVIDIA_DRIVER_CAPABILITIES=compute,utility
LABEL org.opencontainers.image.title="evaljob-runner" \
      org.opencontainers.image.description="EvalJob's runner: a node of an evaluation, or its merge" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /tmp
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/evaljob-runner"]
