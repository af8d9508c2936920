"""raas.varlink as tests see it: its types, methods and errors, each with its fields."""
import os
import re

from raas import TOP


def balanced(text, begin):
    """What stands between the parenthesis at `begin` and its partner, and where that ends."""
    depth = 0
    for at in range(begin, len(text)):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0:
            return text[begin + 1:at], at + 1
    raise ValueError("raas.varlink: a parenthesis is not closed")


def split(body):
    """"a: string, b: (c, d)" as {"a": "string", "b": "(c, d)"}; an enum's words as a list."""
    parts, depth = [""], 0
    for c in body:
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    parts = [" ".join(p.split()) for p in parts if p.strip()]
    if parts and ":" not in parts[0]:
        return parts
    return {name.strip(): kind.strip() for name, _, kind in (p.partition(":") for p in parts)}


class Interface:
    """methods: {name: (parameters, reply)}; types and errors: {name: fields}; an enum: a list."""

    def __init__(self):
        with open(os.path.join(TOP, "common", "raas.varlink"), encoding="utf-8") as f:
            text = re.sub(r"#.*", "", f.read())
        self.types, self.methods, self.errors = {}, {}, {}
        for match in re.finditer(r"^(type|method|error) (\w+)\s*(?=\()", text, re.M):
            body, end = balanced(text, match.end())
            kind, name = match.groups()
            if kind == "method":
                self.methods[name] = (split(body), split(balanced(text, text.index("(", end))[0]))
            else:
                (self.types if kind == "type" else self.errors)[name] = split(body)
