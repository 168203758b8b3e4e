import copy
import pickle

import pytest

from miner.secret import Secret
from tests.faults import fault


@fault("P14")
def test_no_printed_form_shows_the_value() -> None:
    secret = Secret("canary")
    shown = f"{secret} {secret!r} {secret!s} {[secret]}" + repr({"k": secret})
    assert "canary" not in shown
    assert secret.reveal() == "canary"


@fault("P14")
def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("canary"))
    with pytest.raises(TypeError):
        copy.copy(Secret("canary"))


def test_equality_and_truth_follow_the_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert hash(Secret("a")) == hash(Secret("a"))
    assert not Secret("")
    assert Secret("x")
