#!/usr/bin/env python3
"""Makes wilson_reference.inc: intervals from the published formula (Wilson 1927; Brown, Cai and DasGupta 2001, eq. 4),
with 50 digits, so that the test does not repeat the code that it tests."""

import decimal
import pathlib

decimal.getcontext().prec = 50
D = decimal.Decimal
# The 0.975 quantile of the normal distribution (OEIS A220510: 1.959963984540054235524594430520551527955...).
Z = D("1.959963984540054235524594430520551527955")
CASES = [("Half", 5, 10), ("None", 0, 10), ("All", 10, 10), ("One", 1, 1), ("Newcombe1998", 81, 263), ("NewcombeSmall", 15, 148),
         ("NewcombeRare", 1, 29), ("FashionMnist", 9134, 10000), ("AlmostAll", 999999, 1000000), ("Third", 1, 3)]


def six(x):
    return str(x.quantize(D("0.000001"), rounding=decimal.ROUND_HALF_EVEN))


rows = []
for name, x, n in CASES:
    p, n_ = D(x) / D(n), D(n)
    # The roots of (p - pi)^2 = z^2 pi (1 - pi) / n, solved as a quadratic in pi: not the form that the code uses.
    a, b, c = n_ + Z * Z, -(2 * n_ * p + Z * Z), n_ * p * p
    root = (b * b - 4 * a * c).sqrt()
    low, high = (-b - root) / (2 * a), (-b + root) / (2 * a)
    rows.append(f'{{"{name}", {x}, {n}, "{six(p)}", "{six((p * (1 - p) / n_).sqrt())}", "{six(abs(low))}", "{six(high)}"}},')
pathlib.Path(__file__).with_suffix(".inc").write_text("\n".join(rows) + "\n")
