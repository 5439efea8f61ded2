"""etcd, kube-apiserver, kube-controller-manager, kube-scheduler and CoreDNS, in the network namespace of the test."""

import pathlib

from network import CONTROL_PLANE, KUBERNETES, SERVICES
from programs import Programs, run, succeeds

SERVER = f"https://{CONTROL_PLANE}:443"
PROGRAMS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "coredns", "kubectl", "helm", "openssl"]

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: test, cluster: {{server: "{server}", certificate-authority: {ca}}}}}]
users: [{{name: me, user: {{token: "{token}"}}}}]
contexts: [{{name: test, context: {{cluster: test, user: me, namespace: default}}}}]
current-context: test
"""

COREFILE = """\
.:53 {{
    bind {address}
    errors
    kubernetes cluster.local {{
        kubeconfig {kubeconfig}
        ttl 0
    }}
}}
"""


class ControlPlane:
    def __init__(self, programs: Programs, folder: pathlib.Path):
        self.programs, self.folder = programs, folder
        self.users = {"admin": "system:masters", "system:kube-scheduler": ""}
        self.admin = folder / "admin.kubeconfig"
        folder.mkdir()

    def kubeconfig(self, user: str) -> pathlib.Path:
        place = self.folder / f"{user.replace(':', '-')}.kubeconfig"
        place.write_text(KUBECONFIG.format(server=SERVER, ca=self.folder / "ca.crt", token=f"token-of-{user}"))
        return place

    def kubectl(self, *arguments: object, text: str | None = None) -> str:
        return run("kubectl", "--kubeconfig", self.admin, *arguments, text=text)

    def certificates(self) -> None:
        here = self.folder
        names = f"subjectAltName=IP:{CONTROL_PLANE},IP:{KUBERNETES},DNS:kubernetes.default.svc"
        (here / "names").write_text(names)
        new = ["req", "-newkey", "rsa:2048", "-nodes"]
        authority = ["-CA", here / "ca.crt", "-CAkey", here / "ca.key", "-CAcreateserial", "-days", "2"]
        run("openssl", *new, "-x509", "-keyout", here / "ca.key", "-out", here / "ca.crt", "-subj", "/CN=test-ca", "-days", "2")
        run("openssl", *new, "-keyout", here / "tls.key", "-out", here / "tls.csr", "-subj", "/CN=kube-apiserver")
        run("openssl", "x509", "-req", "-in", here / "tls.csr", *authority, "-out", here / "tls.crt", "-extfile", here / "names")
        run("openssl", "genrsa", "-out", here / "sa.key", "2048")

    def start(self, nodes: list[str]) -> None:
        self.users.update({f"system:node:{node}": "system:nodes" for node in nodes})
        rows = [f'token-of-{user},{user},{user},"{groups}"' for user, groups in self.users.items()]
        (self.folder / "tokens").write_text("\n".join(rows) + "\n")
        self.certificates()
        self.kubeconfig("admin")
        self.start_etcd()
        self.start_api_server()
        self.start_controllers()
        corefile = self.folder / "Corefile"
        corefile.write_text(COREFILE.format(address=CONTROL_PLANE, kubeconfig=self.admin))
        self.programs.start("coredns", "coredns", "-conf", corefile)

    def start_etcd(self) -> None:
        self.programs.start("etcd", "etcd", "--data-dir", self.folder / "etcd", "--unsafe-no-fsync")

    def start_api_server(self) -> None:
        here = self.folder
        self.programs.start(
            "kube-apiserver", "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379", "--secure-port=443",
            f"--advertise-address={CONTROL_PLANE}", f"--service-cluster-ip-range={SERVICES}",
            f"--tls-cert-file={here}/tls.crt", f"--tls-private-key-file={here}/tls.key", f"--client-ca-file={here}/ca.crt",
            f"--token-auth-file={here}/tokens", f"--service-account-key-file={here}/sa.key",
            f"--service-account-signing-key-file={here}/sa.key", "--service-account-issuer=https://kubernetes.default.svc",
            "--authorization-mode=Node,RBAC", "--allow-privileged", "--kubelet-preferred-address-types=InternalIP",
            f"--cert-dir={here}",
        )  # fmt: skip
        self.programs.wait_until("the API server is ready", lambda: succeeds(
            "kubectl", "--kubeconfig", self.admin, "get", "--raw", "/readyz"))  # fmt: skip

    def start_controllers(self) -> None:
        here = self.folder
        self.programs.start(
            "kube-controller-manager", "kube-controller-manager", f"--kubeconfig={self.admin}", "--leader-elect=false",
            f"--service-account-private-key-file={here}/sa.key", f"--root-ca-file={here}/ca.crt", f"--cert-dir={here}",
        )  # fmt: skip
        self.programs.start(
            "kube-scheduler", "kube-scheduler", f"--kubeconfig={self.kubeconfig('system:kube-scheduler')}",
            "--leader-elect=false", f"--cert-dir={here}",
        )  # fmt: skip
