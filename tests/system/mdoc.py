"""Manual pages as tests see them: which items stand under which heading, and what they say.

    page = Page("raasctl.1")
    for item in page.under("EXIT STATUS"):
        print(item.head, item.text)

Knows of mdoc(7) what the pages in man/ use.
"""
import os
import re

from raas import TOP

FOLDER = os.path.join(TOP, "man")
MACROS = {"Ar", "Cm", "Dv", "Er", "Ev", "Fa", "Fl", "Ic", "Li", "Lk", "Nm", "Pa", "Ql", "Sy", "Va",
          "Vt", "Xr"}
SILENT = {"No", "Ns", "Pq", "Pp"}
OPENING, CLOSING = {"Oo": "[", "Po": "("}, {"Oc": "]", "Pc": ")"}


def words(line):
    """A line as its words, quoted ones whole; escapes that only keep mdoc off are dropped."""
    found = re.findall(r'"((?:[^"]|"")*)"|(\S+)', line)
    return [(quoted or plain).replace("\\&", "").replace("\\(dq", '"').replace("\\(em", "--")
            .replace("\\e", "\\") for quoted, plain in found]


def spoken(line):
    """A line of macros as it is read: ".It Cm gc Ar ISV Op Fl -older Ar DURATION" without .It is
    "gc ISV [--older DURATION]"."""
    out, dash, until_end, glue = [], False, "", False
    for word in words(line):
        if word == "Ns":
            glue = True
            continue
        if word in ("Op", "Pq", "Ql"):
            until_end = {"Op": "]", "Pq": ")", "Ql": ""}[word] + until_end
            out.append({"Op": "[", "Pq": "(", "Ql": ""}[word])
            continue
        if word in MACROS or word in SILENT:
            dash = word == "Fl"
            continue
        if word in OPENING or word in CLOSING:
            out.append(OPENING.get(word) or CLOSING[word])
            continue
        word = "-" + word if dash and re.match(r"[-\w]", word) else word
        if glue and out:
            out[-1] += word
        else:
            out.append(word)
        glue = False
    text = " ".join(out) + until_end
    text = re.sub(r"([\[(]) ", r"\1", text)
    return re.sub(r" ([\]),:;.])", r"\1", text).replace(" ...", "...").strip()


class Item:
    """One .It: the macros of its head, and what stands below it."""

    def __init__(self, section, subsection, depth, parent, macros):
        self.section, self.subsection, self.depth, self.parent = section, subsection, depth, parent
        self.macros = macros
        self.lines = []

    @property
    def head(self):
        return spoken(self.macros)

    @property
    def text(self):
        return " ".join(self.lines)

    @property
    def options(self):
        """What options the head names: ["-n", "--lines"]."""
        return ["-" + name for name in re.findall(r"\bFl (-?[\w-]+)", self.macros)]

    def named(self, macro):
        """The word behind that macro at the head's front; None."""
        match = re.match(rf"{macro} (\S+)", self.macros)
        return match.group(1) if match else None


class Page:
    def __init__(self, name):
        self.name = name
        self.path = os.path.join(FOLDER, name)
        with open(self.path, encoding="utf-8") as f:
            self.source = f.read()
        self.items = []
        self.headings = []
        self._read()

    def _read(self):
        section = subsection = ""
        stack, depth, literal = [], 0, False
        for line in self.source.replace("\\\n", "").splitlines():
            macro, _, rest = line.partition(" ")
            literal = line.startswith(".Bd -literal") or (literal and macro != ".Ed")
            if macro == ".Sh":
                section, subsection = " ".join(words(rest)), ""
                self.headings.append(section)
            elif macro == ".Ss":
                subsection = " ".join(words(rest))
                self.headings.append(subsection)
            elif macro == ".Bl":
                depth += 1
            elif macro == ".El":
                depth -= 1
                del stack[depth:]
            elif macro == ".It":
                del stack[depth - 1:]
                item = Item(section, subsection, depth, stack[-1] if stack else None, rest)
                stack.append(item)
                self.items.append(item)
            elif not literal and stack:
                stack[-1].lines.append(spoken(line[1:]) if line.startswith(".") else line)

    def under(self, heading, macro=None, depth=None):
        """The items below a section or subsection: all, or those whose head begins with a macro."""
        return [i for i in self.items if heading in (i.section, i.subsection)
                and (macro is None or i.named(macro)) and (depth is None or i.depth == depth)]

    def behind(self, macro):
        """Every word that follows this macro anywhere in the page."""
        lines = [line[1:] for line in self.source.splitlines() if line.startswith(".")]
        return [w for line in lines for w in re.findall(rf"\b{macro} (?:\\&)?([^\s]+)", line)]

    def blocks(self, word=""):
        """The literal blocks that have this word, as they are printed."""
        found = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", self.source, re.M | re.S)
        return [block.replace("\\e", "\\") for block in found if word in block]

    def examples(self):
        """What stands in literal blocks and in quotes: shell that a reader may copy."""
        return [*self.blocks(), *re.findall(r"^\.(?:.* )?Ql (.*)$", self.source, re.M)]


def pages():
    return [Page(name) for name in sorted(os.listdir(FOLDER)) if name[-1].isdigit()]
