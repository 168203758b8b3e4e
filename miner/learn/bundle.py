"""The page's ES modules as one plain script: a page opened from a file can load no second one.

Each module becomes a function that gives its exports, in the order of their imports. What is
understood is what the modules use: whole-line `import {..} from`, `import * as .. from`, and
`export` before const, function and class.
"""

import re
from collections.abc import Mapping
from graphlib import TopologicalSorter

NAMED = re.compile(r'^import (\{[^}]*\}) from "\./([a-z0-9]+)\.js";$', re.MULTILINE)
WHOLE = re.compile(r'^import \* as ([a-z0-9]+) from "\./([a-z0-9]+)\.js";$', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:const|class|(?:async )?function) ([A-Za-z0-9_]+))", re.MULTILINE)


def script(modules: Mapping[str, str]) -> str:
    """One script from the texts of modules by name ("sha256" for sha256.js)."""
    needs = {
        name: {found[2] for found in (*NAMED.finditer(text), *WHOLE.finditer(text))}
        for name, text in modules.items()
    }
    order = TopologicalSorter(needs).static_order()
    return '"use strict";\n' + "".join(_module(name, modules[name]) for name in order)


def _module(name: str, text: str) -> str:
    exports = ", ".join(found[2] for found in EXPORT.finditer(text))
    text = NAMED.sub(r"const \1 = $\2;", text)
    text = WHOLE.sub(r"const \1 = $\2;", text)
    text = EXPORT.sub(r"\1", text)
    return f"const ${name} = (() => {{\n{text}return {{ {exports} }};\n}})();\n"
