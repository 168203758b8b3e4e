"""How our pages look: one style sheet for the essay and the site; light, dark, print and phone."""

from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1b; --paper: #ffffff; --soft: #5c5c5e;
  --line: #c9c9cc; --band: #f3f3f5; --blue: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9e9ea; --paper: #16171a; --soft: #a9a9ad;
  --line: #43444a; --band: #1f2024; --blue: #56b4e9; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 1.5rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.35rem; margin: 2.6rem 0 .5rem; break-after: avoid; }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; break-after: avoid; }
p, li { max-width: 46rem; }
.lead { font-size: 1.15rem; }
.soft, figcaption, .note { color: var(--soft); font-size: .875rem; }
figure { margin: 1rem 0; break-inside: avoid; }
figure svg { width: 100%; height: auto; max-width: 50rem; display: block; }
.narrow { display: none; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; width: 100%; }
th, td { padding: .3rem .5rem; text-align: right; vertical-align: top;
  border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
th { font-weight: 600; }
td { white-space: nowrap; }
.l { text-align: left; }
td.l { white-space: normal; }
tbody tr:nth-child(even) { background: var(--band); }
a { color: inherit; overflow-wrap: anywhere; }
.sources { font-size: .8rem; padding-left: 1.2rem; }
.sources .soft { font-size: inherit; }
@media screen and (max-width: 40rem) { body { padding: 1rem; } h1 { font-size: 1.4rem; }
  .narrow { display: block; } .broad { display: none; } }
@media print { @page { size: A4; margin: 14mm; } body { max-width: none; padding: 0;
  font-size: 10.5pt; } table { font-size: 7.5pt; } th, td { padding: .15rem .25rem; }
  :root { --ink: #000; --paper: #fff; --soft: #333; --line: #999; --band: #f3f3f5;
    --blue: #0072b2; }
  .wide { overflow: visible; } .few, tr { break-inside: avoid; } figure svg { max-height: 15cm; }
  .sources { font-size: 7pt; columns: 2; column-gap: 10mm; } .sources li { break-inside: avoid; } }
"""


def document(title: str, parts: list[str]) -> str:
    """A whole page of these parts, self-contained: no network, no script."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )
