"""How connections end, and what follows: pauses, redirects, rejects, penalties, a stop."""

import threading
from typing import Any

import pytest

from miner.errors import ConnectFailed, SourceRefused
from miner.sources.base import Health
from miner.sources.pool import connection as module
from miner.sources.pool.connection import PoolConnection
from miner.sources.pool.options import PoolOptions
from miner.work.found import Answer
from tests.faults import fault
from tests.unit.protocol.stratum_lines import SUBSCRIPTION, call, share_of
from tests.unit.sources.pool.kit import (
    NAME,
    Bench,
    ListStream,
    bench,
    finding,
    logged_in,
    login,
    to,
    together,
)


def stop_now(made: Bench) -> Any:
    return lambda _: made.connection.ask_to_stop(0.0)


# --- how connections end, and what follows ---------------------------------------------------


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectFailed("cannot resolve pool.example"), "cannot resolve pool.example; next try"),
        (OSError(24, "Too many open files"), "Too many open files"),
        (ZeroDivisionError("ours"), "internal error, please report: ZeroDivisionError"),
    ],
)
def test_a_failed_connection_is_said_and_tried_again(error: Exception, words: str) -> None:
    made = bench(error, ListStream(logged_in()))
    log = made.run()
    assert len(log.said(words)) == 1
    assert log.jobs


def test_pauses_double_until_a_share_is_accepted() -> None:
    lucky = ListStream(logged_in())
    made = bench(*[ConnectFailed("refused")] * 3, lucky, ConnectFailed("refused"))
    lucky.steps += [finding(made, share_of), to("mining.submit", True)]
    made.run()
    assert made.link.slept == [1.0, 2.0, 4.0, 1.0, 2.0, 0.0]


def test_while_another_pool_has_the_work_pauses_are_short() -> None:
    made = bench(*[ConnectFailed("refused")] * 7)
    made.connection.standby = True
    made.run()
    assert made.link.slept == [1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0, 0.0]


@fault("S36")
def test_a_pool_that_hangs_up_on_configure_is_tried_without() -> None:
    first, second = ListStream(), ListStream(logged_in())
    made = bench(first, second)
    log = made.run()
    assert log.said("closed the connection; trying without mining.configure")
    assert first.asked("mining.configure")
    assert not second.asked("mining.configure")
    assert made.link.slept[0] == 0.0
    assert log.jobs


def test_a_pool_that_drops_us_at_once_is_tried_again_at_once_and_then_with_patience() -> None:
    def unknown(made: Bench, stream: ListStream) -> None:
        refused = to("mining.submit", None, [24, "unauthorized worker", None])
        stream.steps += [finding(made, share_of), refused]

    streams = [ListStream(logged_in(extranonce1=f"0800000{n}")) for n in range(3)]
    made = bench(*streams)
    for stream in streams:
        unknown(made, stream)
    made.run()
    assert made.link.slept == [0.0, 1.0, 2.0, 0.0]


def test_a_refused_login_is_fatal_unless_it_worked_before() -> None:
    wrong = to("mining.authorize", False, [24, "unknown user", None])
    subscribe = to("mining.subscribe", SUBSCRIPTION)
    log = bench(ListStream(together(subscribe, wrong))).run()
    (refused,) = [state for state in log.states if state.health is Health.REFUSED]
    assert isinstance(refused.fatal, SourceRefused)
    log = bench(ListStream(logged_in()), ListStream(together(subscribe, wrong))).run()
    (refused,) = [state for state in log.states if state.health is Health.REFUSED]
    assert refused.fatal is None
    assert "next try" in refused.text


def test_retries_come_to_an_end() -> None:
    log = bench(*[ConnectFailed("refused")] * 3, retries=1).run()
    fatal = [state.fatal for state in log.states if state.fatal]
    assert [str(error) for error in fatal] == [f"pool {NAME}: refused; one retry failed"] * 2


@fault("P08")
def test_after_the_computer_slept_the_connection_is_made_anew_at_once() -> None:
    first, second = ListStream(logged_in()), ListStream(logged_in())
    made = bench(first, second)
    first.steps += [lambda s: setattr(s.clock, "jumped", True), 1.0, 1.0]
    log = made.run()
    assert log.said("this computer slept; connecting again")
    assert made.link.slept[0] == 0.0


@fault("S37")
def test_deadlines_of_the_session_are_looked_at() -> None:
    stream = ListStream(logged_in(), 91.0, 90.0)
    log = bench(stream).run()
    assert log.said("the pool is silent for 181 s")
    assert len(stream.asked("mining.extranonce.subscribe")) == 2  # the second is a probe


@pytest.mark.parametrize(("standby", "pause_s"), [(False, 60.0), (True, 300.0)])
@fault("S06")
def test_a_pool_that_misbehaves_is_left_alone(standby: bool, pause_s: float) -> None:
    bad = ListStream(together(logged_in(), (b"junk\n" + call("mining.set_difficulty", 2)) * 61))
    made = bench(bad, ListStream(logged_in()))
    made.connection.standby = standby
    log = made.run()
    assert log.said("more than 60 bad messages in a minute: left alone for at least 60 s")
    assert made.link.slept[0] == pause_s


def test_a_standby_that_becomes_the_only_one_waits_no_longer() -> None:
    bad = ListStream(together(logged_in(), (b"junk\n" + call("mining.set_difficulty", 2)) * 61))
    made = bench(bad, ListStream(logged_in()))
    made.connection.standby = True

    def others_fail() -> None:
        made.connection.standby = made.clock.now < 1100.0

    made.link.while_asleep = others_fail
    made.run()
    assert made.link.slept[0] == 100.0


# --- redirects -------------------------------------------------------------------------------


def redirect(*params: Any) -> bytes:
    return call("client.reconnect", *params)


@fault("S32")
def test_a_redirect_elsewhere_is_refused_and_said_once() -> None:
    two = redirect("evil.example", 1, 0) + redirect("b.example", 2, 0)
    stream = ListStream(logged_in(), two, 0.1)
    made = bench(stream)
    log = made.run()
    (said,) = log.said("refused to go to evil.example:1; allow it by --allow-redirect")
    assert said.health is Health.READY
    assert [place[0] for place in made.link.opened] == ["pool.example"] * 2


@fault("P14")
def test_a_host_that_is_the_password_is_not_shown() -> None:
    log = bench(ListStream(logged_in(), redirect("canary-5e1f", 3333, 0), 0.1)).run()
    assert log.said("refused to go to ***:3333")
    assert not log.said("canary")


@fault("S32")
def test_a_redirect_is_followed_once_and_keeps_tls() -> None:
    made = bench(
        ListStream(logged_in(), redirect("OTHER.example", 4444, 7)),
        ListStream(logged_in()),
        url="stratum+ssl://pool.example:3334",
        allow_redirect=("other.example",),
    )
    log = made.run()
    assert made.link.opened[1] == ("OTHER.example", 4444, True)
    assert made.link.opened[2] == ("pool.example", 3334, True)  # from there home again
    assert made.link.slept[0] == 7.0
    assert log.said("the pool sends us to stratum+ssl://OTHER.example:4444 in 7 s")


@fault("S33")
def test_a_circle_of_redirects_is_a_failure() -> None:
    streams = [ListStream(logged_in(), redirect("", port, 0)) for port in range(4444, 4449)]
    made = bench(*streams)
    log = made.run()
    assert log.said("the pool sends us in circles, last to pool.example:4447")
    assert [port for _, port, _ in made.link.opened[:5]] == [3333, 4444, 4445, 4446, 3333]


def test_after_a_redirect_what_else_came_is_not_obeyed_but_verdicts_count() -> None:
    stream = ListStream(logged_in())
    made = bench(stream, ListStream())
    stream.steps += [
        finding(made, share_of),
        together(redirect("", 4444, 0), redirect("", 5555, 0), to("mining.submit", True)),
    ]
    log = made.run()
    assert made.link.opened[1][1] == 4444
    assert log.answers() == [Answer.ACCEPTED]


# --- rejects ---------------------------------------------------------------------------------


def rejecting(made: Bench, stream: ListStream, pattern: str, error: Any) -> None:
    """A share for each letter: a is accepted, r is rejected."""
    for number, letter in enumerate(pattern):
        stream.steps += [
            finding(made, lambda job, nonce=number: share_of(job, nonce)),  # type: ignore[misc]
            to("mining.submit", True) if letter == "a" else to("mining.submit", None, error),
        ]


def test_a_tenth_of_rejects_is_said_and_half_of_them_ends_it() -> None:
    stream = ListStream(logged_in())
    made = bench(stream)
    rejecting(made, stream, "a" * 18 + "r" * 12, [23, "low difficulty", None])
    log = made.run()
    assert len(log.said("a tenth of the shares is rejected, as the pool computed")) == 1
    assert len(log.said("half of the last 20 shares were rejected")) == 1
    assert len(log.said("share rejected: the pool computed a hash above")) == 1  # perhaps our fault
    assert log.answers().count(Answer.REJECTED) == 10


def test_rejects_that_are_not_our_fault_are_counted_alone() -> None:
    stream = ListStream(logged_in())
    made = bench(stream)
    rejecting(made, stream, "r", [20, "no idea", None])
    log = made.run()
    assert log.answers() == [Answer.REJECTED]
    assert not log.said("share rejected")


# --- stopping --------------------------------------------------------------------------------


def test_stopping_waits_for_open_shares_then_leaves() -> None:
    stream = ListStream(logged_in())
    made = bench(stream)
    stream.steps += [
        finding(made, share_of),
        lambda _: made.connection.ask_to_stop(2.0),
        to("mining.submit", True),
        0.1,
    ]
    log = made.run()
    assert log.answers() == [Answer.ACCEPTED]
    assert len(made.link.opened) == 1
    assert stream.steps == [0.1]
    made.connection.join()
    assert not log.said("stopped")  # nobody is told: the run ends


def test_stopping_waits_no_longer_than_its_grace() -> None:
    stream = ListStream(logged_in())
    made = bench(stream)
    stream.steps += [finding(made, share_of), stop_now(made), 0.1]
    log = made.run()
    assert [verdict.explanation for verdict in log.verdicts] == [module.STOPPED.format("pool")]
    made.connection.submit(share_of(log.jobs[0], 9))  # too late for anybody
    assert [verdict.explanation for verdict in log.verdicts] == [module.STOPPED.format("pool")] * 2


def test_stopping_before_the_login_ends_every_wait() -> None:
    stream = ListStream(0.1)
    made = bench(stream)
    stream.steps += [lambda _: made.connection.ask_to_stop(60.0), 0.1]
    made.run()
    assert made.link.stopping
    assert len(made.link.opened) == 1


def test_stopping_in_a_pause_ends_it() -> None:
    made = bench(ConnectFailed("refused"), most_delay_s=1e6, least_delay_s=1e6)
    made.link.while_asleep = lambda: made.connection.ask_to_stop(0.0)
    made.run()
    assert made.link.slept == [1.0]


def test_a_connection_never_started_stops_at_once() -> None:
    made = bench()
    made.connection.stop(1.0)
    assert made.link.stopping


def test_a_real_stop_joins_the_thread() -> None:
    made = bench(*[ConnectFailed("refused")] * 100)
    made.link.while_asleep = lambda: None
    made.connection.start(made.log)
    made.connection.stop(0.0)
    assert made.link.done.is_set()
    assert not any(thread.name == f"pool {NAME}" for thread in threading.enumerate())


def test_no_thread_left_is_raised_and_nothing_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none_left)
    made = bench()
    with pytest.raises(RuntimeError):
        made.connection.start(made.log)
    assert made.link.done.is_set()


def test_by_default_it_takes_the_computers_own_clock_and_network() -> None:
    connection = PoolConnection(login(), PoolOptions())
    connection.stop(0.0)
    connection.run()  # ends at once and closes what it opened
    assert connection.name == NAME
