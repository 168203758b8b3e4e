"""`miner mine --print-grafana` and `--print-homeassistant`: files of the package."""

from importlib import resources

import click

GRAFANA = (
    ("homehash.json", "Grafana: Dashboards, New, Import"),
    ("prometheus.yml", "Prometheus: what to scrape"),
    ("homehash.rules.yml", "Prometheus: alerts, beside prometheus.yml"),
)


def grafana(context: click.Context, option: click.Parameter, asked: bool) -> None:
    """The dashboard on stdout, to be redirected; where the other files are on stderr."""
    if asked and not context.resilient_parsing:
        folder = resources.files("miner.views") / "grafana"
        click.echo((folder / GRAFANA[0][0]).read_text("utf-8"), nl=False)
        for name, about in GRAFANA:
            click.echo(f"{about}: {folder / name}", err=True)
        context.exit()


def homeassistant(context: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        file = resources.files("miner.views") / "homeassistant.yaml"
        click.echo(file.read_text("utf-8"), nl=False)
        context.exit()
