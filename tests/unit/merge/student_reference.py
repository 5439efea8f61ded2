#!/usr/bin/env python3
"""Makes student_reference.inc: means of millionths with their standard errors and Student's intervals, from exact fractions
and from the quantiles that have a closed form (1, 2 and 4 degrees of freedom; Shaw, Journal of Computational Finance 9, 2006)."""

import math
import pathlib
from fractions import Fraction

A = 4 * 0.975 * 0.025
QUANTILE = {1: 1 / math.tan(math.pi * 0.025),
            2: (2 * 0.975 - 1) * math.sqrt(2 / A),
            4: 2 * math.sqrt(math.cos(math.acos(math.sqrt(A)) / 3) / math.sqrt(A) - 1)}
CASES = [("Two", [0, 1000000]), ("Three", [250000, 333333, 1000000]), ("Five", [0, 0, 666667, 1000000, 500000]), ("Equal", [700000] * 5),
         ("Near", [999999, 1000000, 1000000]), ("Negative", [-3500000, 2000000, -1]), ("Large", [10**12, 10**12 - 1, 10**12 - 3]),
         ("FarApart", [-10**12, 10**12])]

rows = []
for name, points in CASES:
    n = len(points)
    mean = Fraction(sum(points), n)
    error = math.sqrt(sum((x - mean) ** 2 for x in points) / (n * (n - 1))) / 1e6
    value = float(mean) / 1e6
    half = QUANTILE[n - 1] * error
    texts = ", ".join(f'"{x:.6f}"' for x in (value, error, value - half, value + half))
    rows.append(f'{{"{name}", {{{", ".join(map(str, points))}}}, {texts}}},')
pathlib.Path(__file__).with_suffix(".inc").write_text("\n".join(rows) + "\n")
