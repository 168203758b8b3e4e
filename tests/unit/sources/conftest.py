"""A fake node, a sink, and a starter that leaves no thread behind."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from miner.sources.node.source import NodeSource
from tests.fakes.node import FakeNode
from tests.fakes.sink import FAST, REGTEST, Sink, setup


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[FakeNode]:
    with FakeNode(tmp_path) as fake:
        yield fake


@pytest.fixture
def run(sink: Sink) -> Iterator[Callable[..., NodeSource]]:
    """Starts sources and stops them; afterwards no thread is left."""
    started: list[NodeSource] = []

    def go(
        *nodes: FakeNode,
        payout: str | bytes = REGTEST,
        long_poll: bool = False,
        to: Sink | None = None,
        **options: Any,
    ) -> NodeSource:
        options.setdefault("timing", FAST)
        setups = [setup(node, long_poll=long_poll) for node in nodes]
        source = NodeSource(setups, payout, **options)
        started.append(source)
        source.start(to or sink)
        return source

    yield go
    for source in started:
        source.stop(0.0)
    names = [thread.name for thread in threading.enumerate() if thread.name.startswith("http://")]
    assert not names


@pytest.fixture
def second(tmp_path: Path) -> Iterator[FakeNode]:
    (tmp_path / "second").mkdir()
    with FakeNode(tmp_path / "second") as fake:
        yield fake
