"""The operator's own /metrics, as a map of (name, labels) to value."""

import re
import urllib.request

LINE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="([^"]*)"')


def read():
    with urllib.request.urlopen("http://127.0.0.1:8080/metrics") as answer:
        lines = map(LINE.match, answer.read().decode().splitlines())
    return {(line[1], frozenset(LABEL.findall(line[2] or ""))): float(line[3]) for line in lines if line}


def by_label(now, before, name, label):
    """What was added since, by that label; what did not grow is left out."""
    counts = {}
    for (found, labels), value in now.items():
        added = int(value - before.get((found, labels), 0))
        if found == name and added > 0:
            counts[dict(labels)[label]] = counts.get(dict(labels)[label], 0) + added
    return counts


def quantile(buckets, part):
    """The upper bound of the bucket that holds it, as text."""
    total = max(buckets.values(), default=0)
    bounds = sorted(((float(bound.replace("+Inf", "inf")), bound) for bound in buckets))
    return next((bound for _, bound in bounds if buckets[bound] >= part * total), None) if total else None
