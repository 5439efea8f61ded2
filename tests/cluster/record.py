"""docs/cluster-run.md: a run as a person sees it, word for word."""

import os
import pathlib

from example import Seen

PAGE = """\
# A run in a cluster, as a person sees it

Written by `./dev cluster --record docs/cluster-run.md`: the real output of a run on {nodes} real nodes (containerd and kubelet 1.34) on one
machine of {cores} cores, which had a load of {load:.0f} from other work; {seconds:.0f} s from `kubectl apply` to the score. The results have
the same digest as those of the [same file on one machine](../README.md#quickstart).

```
$ kubectl apply -f examples/fashion-mnist/volume.yaml
$ kubectl wait --for=condition=Complete job/fashion-mnist-files --timeout=5m
$ kubectl apply -f examples/fashion-mnist/evaljob.yaml
$ kubectl get evj -w
{watch}
$ kubectl get evj -o wide
{wide}
$ kubectl get pods -o wide
{pods}
$ kubectl describe evj fashion-mnist
{describe}
```
"""


def write_record(place: pathlib.Path, seen: Seen, nodes: int, load: float) -> None:
    """`load`: of the machine before the cluster was started."""
    texts = {name: trimmed(getattr(seen, name)) for name in ("watch", "wide", "pods", "describe")}
    place.write_text(PAGE.format(nodes=nodes, cores=os.cpu_count(), load=load, seconds=seen.seconds, **texts))


def trimmed(text: str) -> str:
    """Without the blanks that kubectl puts at the ends of lines."""
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())
