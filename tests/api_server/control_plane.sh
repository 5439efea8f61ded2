#!/usr/bin/env bash
# A real control plane on loopback: etcd, kube-apiserver and kube-controller-manager, with everything they write in FOLDER.
# Prints "ready" when it serves, writes FOLDER/kubeconfig, and ends its children when it is told to end.
#
# usage: control_plane.sh FOLDER ETCD_PORT PEER_PORT API_PORT MANAGER_PORT     (programs: on PATH)
# API_SERVER_FLAGS, MANAGER_FLAGS: more flags; TOKENS: more lines for the token file
set -euo pipefail
folder=$1 etcd_port=$2 peer_port=$3 api_port=$4 manager_port=$5
cd "$folder"
children=()
end() { trap - EXIT; [[ ${#children[@]} -eq 0 ]] || kill -KILL "${children[@]}" 2>/dev/null || true; wait; }
trap end EXIT
trap 'exit 0' TERM INT

certificates() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj /CN=test-ca -days 2
    openssl req -newkey rsa:2048 -nodes -keyout tls.key -out tls.csr -subj /CN=kube-apiserver
    openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out tls.crt -days 2 \
        -extfile <(printf 'subjectAltName=IP:127.0.0.1,IP:10.0.0.1,DNS:localhost')
    openssl genrsa -out sa.key 2048
} 2>openssl.log

start() {  # log program args
    local log=$1
    shift
    "$@" >"$log" 2>&1 &
    children+=($!)
}

certificates
echo 'admin-token,admin,admin,"system:masters"' >tokens
[[ -z ${TOKENS:-} ]] || printf '%s\n' "$TOKENS" >>tokens
cat >kubeconfig <<END
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://127.0.0.1:$api_port", certificate-authority: ca.crt}}]
users: [{name: admin, user: {token: admin-token}}]
contexts: [{name: test, context: {cluster: test, user: admin, namespace: default}}]
current-context: test
END
cat >audit-policy <<'END'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {level: Metadata, userGroups: ["system:serviceaccounts"]}
  - {level: None}
END
start etcd.log etcd --data-dir etcd --unsafe-no-fsync \
    --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
    --listen-peer-urls "http://127.0.0.1:$peer_port"
start apiserver.log kube-apiserver --etcd-servers "http://127.0.0.1:$etcd_port" --bind-address 127.0.0.1 \
    --secure-port "$api_port" --advertise-address 127.0.0.1 --service-cluster-ip-range 10.0.0.0/24 \
    --tls-cert-file tls.crt --tls-private-key-file tls.key --client-ca-file ca.crt --token-auth-file tokens \
    --service-account-key-file sa.key --service-account-signing-key-file sa.key \
    --service-account-issuer https://kubernetes.default.svc --authorization-mode RBAC --allow-privileged \
    --audit-policy-file audit-policy --audit-log-path audit.log \
    --enable-admission-plugins OwnerReferencesPermissionEnforcement ${API_SERVER_FLAGS:-}
ask() { curl -sf --cacert ca.crt -H 'Authorization: Bearer admin-token' "https://127.0.0.1:$api_port/readyz"; }
for ((i = 0; ; ++i)); do
    [[ $(ask) != ok ]] || break
    ((i < 300)) && kill -0 "${children[@]}" || { tail -n 5 etcd.log apiserver.log >&2; exit 1; }
    sleep 0.2
done
start manager.log kube-controller-manager --kubeconfig kubeconfig --authentication-kubeconfig kubeconfig \
    --authorization-kubeconfig kubeconfig --service-account-private-key-file sa.key --root-ca-file ca.crt \
    --leader-elect=false --bind-address 127.0.0.1 --secure-port "$manager_port" ${MANAGER_FLAGS:-}
echo ready
wait
