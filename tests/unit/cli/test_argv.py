"""Which part of an argument list is a password."""

import click
import pytest

from miner.cli.argv import without_passwords
from miner.cli.mine import mine
from tests.faults import fault

OPTIONS = [option for option in mine.params if isinstance(option, click.Option)]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("mine --pool pool.example:3333 -u pp -p p", "mine --pool pool.example:3333 -u pp -p x"),
        ("-pp --pass=p --password p", "-px --pass=x --password x"),
        ("-u -p -p -p --decode", "-u -p -p xx --decode"),  # the values of -u and -p begin with -
        ("-O p:p:p --userpass=pp", "-O p:xxx --userpass=pp"),
        ("--pool tcp://p:p@p:1", "--pool tcp://p:x@p:1"),
        ("--pool=p:p@p:1", "--pool=p:x@p:1"),
        ("-otcp://p:p@@p:1 -o p:1 -o tcp://p@p:1", "-otcp://p:xx@p:1 -o p:1 -o tcp://p@p:1"),
        ("--node http://p:p@p --user p", "--node http://p:x@p --user p"),
        ("--check-node http://p:p@p", "--check-node http://p:x@p"),
        ("--json -p grün", "--json -p xxxxx"),  # as many bytes as before
        ("-- -p p", "-- -p p"),
        ("mine -p", "mine -p"),
    ],
)
@fault("P14")
def test_the_password_itself_is_hidden_and_nothing_else(given: str, shown: str) -> None:
    assert without_passwords(given.split(" "), OPTIONS) == shown.split(" ")
