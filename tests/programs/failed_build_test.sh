#!/usr/bin/env bash
# Without a network and with nothing cached, build.sh says which program is missing and how to mend it, and fails.
set -euo pipefail
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { printf '%s\n' "$1, it says:" "$said"; exit 1; }

mkdir "$work/assets"
printf '#!/bin/sh\n' >"$work/assets/kubelet"
chmod +x "$work/assets/kubelet"
if said=$(env -u GOFLAGS GOPROXY=off GOMODCACHE="$work/modules" PIP_NO_INDEX=1 KUBEBUILDER_ASSETS="$work/assets" \
    PATH="$(dirname "$(type -P go || echo /usr/bin/go)"):/usr/bin:/bin" \
    "$here/build.sh" "$work/cache" "$work/links" kubelet coredns nonsense 2>&1); then
    fail "coredns cannot have been built"
fi
[[ $said == *"is there a network?"* ]] || fail "nothing about a network"
[[ $said == *"on PATH"* ]] || fail "no way out"
[[ $said == *'no program "nonsense"'* ]] || fail "nothing about the unknown program"
[[ ! -e $work/links/coredns && ! -e $work/links/nonsense ]] || fail "a link to nothing"
[[ $(readlink "$work/links/kubelet") == "$work/assets/kubelet" ]] || fail "KUBEBUILDER_ASSETS is not honoured"
