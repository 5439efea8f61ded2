"""TorchScript classifiers of 28 × 28 images that take a wanted time a sample on one CPU thread of this machine."""
import statistics
import time

import torch


class Network(torch.nn.Module):
    """One layer applied again and again: the time grows with the depth, and the weights stay in the cache."""

    def __init__(self, width: int, depth: int):
        super().__init__()
        self.depth = depth
        self.first = torch.nn.Linear(28 * 28, width)
        self.again = torch.nn.Linear(width, width)
        self.last = torch.nn.Linear(width, 10)
        torch.nn.init.orthogonal_(self.again.weight, 0.5)  # so that no depth lets the scores grow or fade away

    def forward(self, images):
        start = self.first(images.flatten(1))
        scores = start
        for _ in range(self.depth):
            scores = torch.relu(self.again(scores)) + start
        return self.last(scores)


def network(width: int, depth: int) -> torch.jit.ScriptModule:
    torch.manual_seed(1)
    return torch.jit.script(Network(width, depth).eval())


def ms_a_sample(module, batch: int) -> float:
    images = torch.rand(batch, 1, 28, 28)
    times = []
    with torch.inference_mode():
        begun = time.perf_counter()
        while len(times) < 5 or time.perf_counter() - begun < 0.5:
            start = time.perf_counter()
            module(images)
            times.append((time.perf_counter() - start) * 1e3 / batch)
    return statistics.median(times[2:])


def make(path: str, wanted_ms: float, batch: int) -> None:
    """Writes a model that takes about `wanted_ms` a sample in batches of `batch`."""
    torch.set_num_threads(1)
    width = 96 if wanted_ms < 0.05 else 512
    shallow, deep = 2, 18
    none, some = (ms_a_sample(network(width, depth), batch) for depth in (shallow, deep))
    layer = (some - none) / (deep - shallow)
    depth = max(0, round(shallow + (wanted_ms - none) / layer))
    network(width, depth).save(path)
