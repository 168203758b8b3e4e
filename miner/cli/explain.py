"""`miner explain WORD`: a sentence on any word the miner prints, and the lesson that shows it."""

import click

from miner import paths
from miner.bitcoin.target import difficulty
from miner.learn.catalogue import course
from miner.learn.voice import Voice, chosen, voice
from miner.learn.words import glossary, meaning
from miner.state.best import load_best

OWN = ("best difficulty", "share", "difficulty", "hash")  # this computer has something to show


@click.command()
@click.argument("word", nargs=-1)
@click.option("--lang", help="Language: en or de. Default: that of LANG.")
def explain(word: tuple[str, ...], lang: str | None) -> None:
    """Explain WORD: a term, a field, a verdict such as bad-cb-height, or a pool's reason."""
    said = voice(chosen(lang))
    text = " ".join(word).strip()
    if not text:
        click.echo(said.say("words_list", words=", ".join(sorted(glossary()))))
        click.echo(said.say("words_more"))
        return
    found = meaning(text, said.lang)
    lesson = course(said.lang).find(found.lesson)
    click.echo(f"{text}: {found.says}.")
    if found.word in OWN:
        click.echo(own(said))
    click.echo(said.say("words_lesson", number=lesson.number, title=lesson.title))


def own(said: Voice) -> str:
    """What this computer has to show for the word, from its own sessions."""
    best = load_best(paths.state_dir() / "best-hash")
    if best >= 2**256:
        return said.say("words_none")
    return said.say("words_best", difficulty=difficulty(best))
