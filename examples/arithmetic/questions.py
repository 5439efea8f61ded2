#!/usr/bin/env python3
"""Writes questions.jsonl: 400 small sums, each with its right answer, or all of them. Always the same ones."""
import json
import random

NUMBERS = random.Random(6)


def question(kind):
    a, b = NUMBERS.randint(2, 99), NUMBERS.randint(2, 20)
    if kind == "addition":
        return f"What is {a} plus {b}?", str(a + b)
    if kind == "subtraction":
        return f"What is {a} minus {b}?", str(a - b)
    if kind == "multiplication":
        return f"What is {a} times {b}?", str(a * b)
    quotient, rest = divmod(a, b)
    exact = [str(quotient)] if rest == 0 else []
    return f"What is {a} divided by {b}?", exact + [f"{quotient} remainder {rest}", f"{quotient} r {rest}"]


with open("questions.jsonl", "w", encoding="utf-8") as lines:
    for number in range(400):
        kind = ["addition", "subtraction", "multiplication", "division"][number % 4]
        text, target = question(kind)
        line = {"id": f"{kind}-{number // 4:03}", "operation": kind, "question": text, "target": target}
        lines.write(json.dumps(line) + "\n")
