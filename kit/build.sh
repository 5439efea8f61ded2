#!/usr/bin/env bash
# Builds the runner from an unpacked kit (kit/pack.py) and runs its tests. Needs cmake, ninja, a C++ compiler and PyTorch;
# EVALJOB_TORCH_DIR names libtorch's folder where it is not the one of `python3`. BUILD: where to (build/kit).
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:-build/kit}
torch=${EVALJOB_TORCH_DIR:-$(python3 -c 'import torch; print(torch.__path__[0])')}
[[ -d brought ]] || { echo "there is no folder brought here: unpack a kit that ./dev kit has made" >&2; exit 2; }

cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O2 \
    -DEVALJOB_KIT="$PWD/brought" -DEVALJOB_TORCH_DIR="$torch"
cmake --build "$build"
ctest --test-dir "$build" --output-on-failure -j "$(nproc)"
"$build/bin/evaljob-runner" --version
