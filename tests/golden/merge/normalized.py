#!/usr/bin/env python3
"""Writes normalized.jsonl: texts, and what SQuAD's normalisation makes of them, by Python's own idea of letters and space.

The rule, as the evaluation of SQuAD 1.1 and 2.0 has it: lower case; no character of string.punctuation; the words a, an
and the become a space; white space becomes single spaces between words. What would be emptied by a step of these keeps what it
was before that step, which is EvalJob's own: else nothing at all would equal the answer A."""
import json
import random
import re
import string
import sys
import unicodedata


def normalized(text):
    lower = text.lower()
    plain = "".join(c for c in lower if c not in set(string.punctuation))
    if not plain.strip():
        return " ".join(lower.split())
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", plain).split()) or " ".join(plain.split())


def texts():
    yield from ["", " ", "The", "a", "An apple a day", "the-cat", "U.S.A.", "Theatre", "anthem", "bath the dog", "A.B.", "it's", "the2",
                "the_cat", "2 the", "É CAFÉ, Ärger!", "thé the", "the\u0301", "ΟΔΟΣ ΣΟΦΟΣ Σ ΑΣ. ΑΣ'Α", "İstanbul", "ß STRASSE ẞ", "ＴＨＥ ｃａｔ",
                "a\u00a0b\u2003c\u3000d\u200be", "tab\tnew\nline\x1cfile\x85next", "“quoted” — dash…", "東京 the 東京", "the東京", "½ Ⅷ ²",
                "$1,000.00", "a/an/the", "aaa", "A  B", "\u0000a\u0000", "...", " .\t. ", "A.", "(a)", "The...", "the a an", "- a -", "-"]
    letters = [chr(c) for c in range(sys.maxunicode) if not 0xD800 <= c < 0xE000 and chr(c).lower() != chr(c) and c != 0x3A3]
    for at in range(0, len(letters), 64):
        yield " ".join(letters[at:at + 64])
    spaces = [chr(c) for c in range(sys.maxunicode) if chr(c).isspace()]
    yield "x".join(spaces)
    # Every kind of character beside a word that would be an article.
    kinds = {}
    for c in range(0x80, sys.maxunicode):
        kind = unicodedata.category(chr(c))
        if kind not in ("Cs", "Cn", "Co"):
            kinds.setdefault(kind, []).append(chr(c))
    chance = random.Random(1)
    for kind in sorted(kinds):
        for c in chance.sample(kinds[kind], min(6, len(kinds[kind]))):
            yield f"the{c} {c}an {c}A{c} b{c}the"


with open("normalized.jsonl", "w", encoding="utf-8") as lines:
    for text in texts():
        lines.write(json.dumps([text, normalized(text)]) + "\n")
