#!/usr/bin/env python3
"""Answers questions.jsonl. It stands for a language model, and like one it has weaknesses: it writes large numbers with
a full stop behind them, and guesses the remainder of a division, by the seed that comes with each request."""
import json
import random
import re
import sys


def answer(question, seed):
    a, operation, b = re.fullmatch(r"What is (\d+) (.+?) (\d+)\?", question).groups()
    a, b = int(a), int(b)
    if operation == "divided by":
        rest = a % b
        return f"{a // b} remainder {random.Random(seed).choice([rest, rest, rest, b - rest])}"
    number = {"plus": a + b, "minus": a - b, "times": a * b}[operation]
    return f"{number}." if number >= 1000 else str(number)


def say(message):
    print(json.dumps(message), flush=True)


# A model would be loaded here. CUDA_VISIBLE_DEVICES holds the GPU of this rank alone.
say({"ready": True, "library": "solve.py"})
for line in sys.stdin:
    request = json.loads(line)
    say({"request": request["request"], "prediction": answer(request["input"]["question"], request["seed"])})
