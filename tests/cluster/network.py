"""The network of a test cluster: this network namespace, which is the test's own, is the control plane's; each node has
one, joined to it through a bridge. Addresses are from 198.18.0.0/15, which is set aside for tests.

    198.18.0.1       the control plane: API server on port 443, DNS on port 53
    198.18.255.1     the Service `kubernetes`, which Pods are told of: one more address of it, in place of kube-proxy
    198.18.0.10+i    node i
    198.18.10+i.0/24 Pods of node i
"""

import dataclasses

from programs import run

CONTROL_PLANE = "198.18.0.1"
SERVICES = "198.18.255.0/24"
KUBERNETES = "198.18.255.1"
BRIDGE = "nodes"


@dataclasses.dataclass(frozen=True)
class NodeNetwork:
    index: int

    @property
    def namespace(self) -> str:
        return f"node-{self.index}"

    @property
    def address(self) -> str:
        return f"198.18.0.{10 + self.index}"

    @property
    def pods(self) -> str:
        return f"198.18.{10 + self.index}.0/24"


def in_node(node: NodeNetwork, *command: str) -> None:
    run("nsenter", f"--net=/run/netns/{node.namespace}", "--", *command)


def set_up(nodes: list[NodeNetwork]) -> None:
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "name", BRIDGE, "type", "bridge")
    run("ip", "address", "add", f"{CONTROL_PLANE}/24", "dev", BRIDGE)
    run("ip", "address", "add", f"{KUBERNETES}/32", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    for node in nodes:
        join(node)
        run("ip", "route", "add", node.pods, "via", node.address)
    for node in nodes:
        in_node(node, "ip", "route", "add", SERVICES, "via", CONTROL_PLANE)
        for other in nodes:
            if other != node:
                in_node(node, "ip", "route", "add", other.pods, "via", other.address)


def join(node: NodeNetwork) -> None:
    cable = f"to-{node.namespace}"
    run("ip", "netns", "add", node.namespace)
    run("ip", "link", "add", "name", cable, "type", "veth", "peer", "name", "eth0", "netns", node.namespace)
    run("ip", "link", "set", cable, "master", BRIDGE, "up")
    in_node(node, "ip", "link", "set", "lo", "up")
    in_node(node, "ip", "address", "add", f"{node.address}/24", "dev", "eth0")
    in_node(node, "ip", "link", "set", "eth0", "up")
    in_node(node, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
