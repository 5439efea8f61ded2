#!/usr/bin/env python3
"""Writes text_scores.jsonl: predictions, targets, and what the Python originals score them, which ours are held to.

F1 is compute_f1 of SQuAD 2.0 as transformers 4.57.1 has it in data/metrics/squad_metrics.py, ROUGE-L is RougeScorer of
rouge-score 0.1.2, the best target counting. VQA accuracy is PythonEvaluationTools/vqaEvaluation/vqaEval.py of GT-Vision-Lab/VQA
at commit a013f00, whose path is the argument. (It is Python 2 in its print statements alone; they are left out.)

    pip install rouge-score==0.1.2 && pip install --no-deps transformers==4.57.1
    ./text_scores.py vqaEval.py"""
import ast
import collections
import importlib.util
import json
import pathlib
import random
import re
import string
import sys

from rouge_score.rouge_scorer import RougeScorer


def squad_f1():
    """The functions alone: the package as a whole wants a deep learning library."""
    package = pathlib.Path(importlib.util.find_spec("transformers").origin).parent
    source = ast.parse((package / "data/metrics/squad_metrics.py").read_text())
    wanted = ("normalize_answer", "get_tokens", "compute_f1")
    source.body = [node for node in source.body if isinstance(node, ast.FunctionDef) and node.name in wanted]
    names = {"re": re, "string": string, "collections": collections}
    exec(compile(source, "squad_metrics.py", "exec"), names)
    return names["compute_f1"]


def vqa_evaluation(path):
    names = {}
    exec(compile(re.sub(r'print ".*"', "pass", pathlib.Path(path).read_text()), path, "exec"), names)
    return names["VQAEval"]


class Questions:
    """What VQAEval takes for its questions, and for its answers."""

    def __init__(self, qa):
        self.qa = {1: qa}

    def getQuesIds(self):
        return [1]


def vqa_accuracy(evaluation, prediction, targets):
    people = [{"answer": target, "answer_id": number} for number, target in enumerate(targets)]
    asked = Questions({"answers": people, "question_type": "", "answer_type": ""})
    evaluated = evaluation(asked, Questions({"answer": prediction}), n=12)
    evaluated.evaluate()
    return evaluated.evalQA[1] / 100


# Where EvalJob scores otherwise on purpose: what a step of the normalisation would empty keeps what it was before that step.
# By the originals an article, a mark and no answer at all are one and the same text. (Of the 40 full stops VQA's script drops
# 32, which leaves 8.)
ON_PURPOSE = {
    ("a", "the"): {"F1": 0, "VQAAccuracy": 0},
    ("." * 40, "." * 8): {"F1": 0, "VQAAccuracy": 1},
    ("\\_`", ""): {"F1": 0, "VQAAccuracy": 0},
}


def ten(**counted):
    """ten(yes=7, no=3)"""
    return [answer.replace("_", " ") for answer, count in counted.items() for _ in range(count)]


def rows():
    texts = ["", " ", "the", "a an the", "cat", "The cat.", "the cat sat on the mat", "The cat is on the mat!", "mat the on sat cat the",
             "cat cat cat dog", "cat dog dog dog", "a b c d e f g", "g f e d c b a", "1,000", "1000", "3.5", "3 . 5", "$1,000.50", "U.S.A.", "USA", "it's", "its",
             "don't", "dont", "won't do", "É CAFÉ, Ärger!", "é café ärger", "İstanbul", "ΟΔΟΣ", "οδος", "東京 タワー", "東京タワー", "\u212aelvin 300 \u212a",
             "kelvin 300 k", "ﬁne ½ ²", "tab\tnew\nline\x1cfile\x85next", "tab new line file next", "naïve—dash", "well-known e-mail", "well known email",
             "two", "2", "none", "\u0000a\u0000", "“quoted”", "quoted", "x" * 70]
    chance = random.Random(1)
    for text in texts:
        yield text, [text]
        yield text, chance.sample(texts, 3)
    yield "same words twice same words", ["same words", "words same same", "twice"]
    yield "b", ["a", "b"]
    for length in (3, 63, 64, 65, 127, 128, 129, 300):  # ROUGE-L is computed 64 words at a time
        words = [chance.choice("abcdefgh") + chance.choice("xyz") for _ in range(length)]
        other = [word for word in words if chance.random() < 0.8]
        other.insert(len(other) // 2, "new")
        yield " ".join(words), [" ".join(other)]
        yield " ".join(other), [" ".join(words), " ".join(reversed(words))]
    # VQA: ten people's answers.
    yield from [("yes", ten(yes=10)), ("Yes.", ten(yes=10)), (" yes\n", ten(yes=10)), ("Yes.", ten(yes=9, no=1)), ("no", ten(yes=9, no=1)),
                ("no", ten(yes=8, no=2)), ("no", ten(yes=7, no=3)), ("no", ten(yes=6, no=4)), ("maybe", ten(yes=6, no=4)), ("", ten(yes=6, no=4)),
                ("two", ["2"] * 6 + ["3"] * 4), ("2", ["two"] * 2 + ["3"] * 8), ("none", ["0"] * 3 + ["1"] * 7), ("Ten dogs", ["10 dogs"] * 5 + ["dogs"] * 5),
                ("the red ball", ["red ball", "a red ball"] * 5), ("a", ["the", "b"] * 5), ("dont know", ["don't know"] * 4 + ["yes"] * 6),
                ("don't know", ["dont know"] * 4 + ["yes"] * 6), ("hed've", ["he'd've"] * 3 + ["x"] * 7), ("somebody'd", ["somebodyd"] * 2 + ["x"] * 8),
                ("ows'at", ["'ow's'at"] * 5 + ["x"] * 5), ("'ows'at", ["'ow's'at"] * 5 + ["x"] * 5), ("she's", ["shes"] * 5 + ["she's"] * 5),
                ("1,000", ["1000"] * 3 + ["1,000"] * 3 + ["x"] * 4), ("1,000 (or so)", ["1000 or so"] * 5 + ["x"] * 5), ("1, 000", ["1 000"] * 5 + ["x"] * 5),
                ("3.5", ["3.5"] * 4 + ["35"] * 6), ("35", ["3.5"] * 4 + ["35"] * 6), ("U.S.A.", ["usa"] * 3 + ["u.s.a"] * 3 + ["us"] * 4), (".5", ["0.5", ".5"] * 5),
                ("...5.", [".5"] * 5 + ["x"] * 5), ("." * 40, ["." * 8] * 5 + ["x"] * 5), ("red/blue", ["red blue"] * 4 + ["red"] * 6), ("red / blue", ["red blue"] * 4 + ["red"] * 6),
                ("red/ blue/green", ["red bluegreen"] * 4 + ["red"] * 6), ("t-shirt", ["t shirt"] * 5 + ["tshirt"] * 5), ("what?", ["what"] * 5 + ["x"] * 5),
                ("x!", ["x"] * 5 + ["y"] * 5), ("a:b", ["a b"] * 5 + ["a:b"] * 5), ("{1}[2](3)", ["1 2 3"] * 5 + ["x"] * 5), ("\\_`", ["", "x"] * 5),
                ("ÉCOLE", ["école"] * 6 + ["ecole"] * 4), ("ΟΔΟΣ", ["οδος"] * 2 + ["x"] * 8), ("１,０００", ["1000"] * 5 + ["１０００"] * 5), ("one\u00a0dog", ["1 dog"] * 6 + ["dog"] * 4),
                ("two\ttone", ["2 tone"] * 6 + ["x"] * 4), ("a\r\nb", ["b", "a b"] * 5), ("no", ["yes", "no", "no", "no"]), ("no", ["yes", "no", "no", "x"]),
                ("no", ["no"] * 4), ("no", ["no", "No!"] * 6), ("im", ["I'm", "i'm"] * 5), ("yall'd've", ["y'all'd've"] * 5 + ["x"] * 5)]


def ten_digits(scores):
    return {name: f"{score:.10f}" for name, score in scores.items()}


def main():
    f1 = squad_f1()
    evaluation = vqa_evaluation(sys.argv[1])
    rouge = RougeScorer(["rougeL"], use_stemmer=False)
    with open(pathlib.Path(__file__).with_suffix(".jsonl"), "w", encoding="utf-8") as lines:
        for prediction, targets in rows():
            scores = {"F1": max(f1(target, prediction) for target in targets),
                      "ROUGEL": rouge.score_multi(targets, prediction)["rougeL"].fmeasure}
            if len(targets) > 3:  # below, the original knows no way to be right
                scores["VQAAccuracy"] = vqa_accuracy(evaluation, prediction, targets)
            row = {"prediction": prediction, "targets": targets, "scores": ten_digits(scores)}
            if ours := ON_PURPOSE.get((prediction, targets[0])):
                row["ours"] = ten_digits(ours)
            lines.write(json.dumps(row, sort_keys=True) + "\n")


main()
