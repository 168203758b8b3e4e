"""`miner explain WORD`: a sentence on any word the miner prints, and the lesson that shows it."""

import click

from miner import paths
from miner.bitcoin.target import difficulty
from miner.learn.catalogue import find
from miner.learn.words import WORDS, meaning
from miner.state.best import load_best


@click.command()
@click.argument("word", nargs=-1)
def explain(word: tuple[str, ...]) -> None:
    """Explain WORD: a term, a verdict such as bad-cb-height, or a pool's reason."""
    text = " ".join(word).strip()
    if not text:
        click.echo("Words: " + ", ".join(sorted(WORDS)))
        click.echo("Verdicts of nodes and reasons of pools are known too: bad-cb-amount, stale")
        return
    sentence, name = meaning(text)
    lesson = find(name)
    click.echo(f"{text}: {sentence}.")
    for line in own(text):
        click.echo(line)
    click.echo(f"See it at work: miner learn {lesson.number}  ({lesson.title})")


def own(word: str) -> list[str]:
    """What this computer has to show for the word, from its own sessions."""
    if word.lower().replace("_", " ") not in ("best difficulty", "share", "difficulty", "hash"):
        return []
    best = load_best(paths.state_dir() / "best-hash")
    if best >= 2**256:
        return ["On this computer: no share found yet; `miner mine --blocks 5` finds some."]
    return [f"On this computer: the best hash so far has difficulty {difficulty(best):.4g}."]
