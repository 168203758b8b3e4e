import os
from pathlib import Path
from typing import Any

import pytest

from miner.bitcoin.address import p2wsh_address
from miner.engine.goal import Goal
from miner.errors import ConfigError
from miner.run import config, settings
from miner.run.config import MineConfig
from miner.secret import Secret
from miner.transport.urls import DUMMY_PASSWORD
from tests.faults import fault

ADDRESS = p2wsh_address(b"\x51", "regtest")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    (tmp_path / "config").mkdir()
    return tmp_path


def write(home: Path, content: str, mode: int = 0o600) -> Path:
    file = home / "config" / "config.toml"
    file.write_text(content)
    file.chmod(mode)
    return file


def load(environment: dict[str, str] | None = None, **flags: object) -> MineConfig:
    return config.load(flags, environment or {})


def test_nothing_given_is_the_own_node_with_defaults() -> None:
    got = load()
    assert (got.pools, got.nodes, got.backends) == ((), (), ("auto",))
    assert (got.threads, got.throttle, got.retries, got.idle) == (None, 100, None, True)


def test_flags_over_environment_over_file_over_defaults(home: Path) -> None:
    write(home, "threads = 1\nthrottle = 11\nretries = 111\n")
    got = load({"MINER_THREADS": "2", "MINER_THROTTLE": "22"}, threads="3")
    assert (got.threads, got.throttle, got.retries, got.blocks) == (3, 22, 111, None)


def test_zero_and_false_are_values_not_absence(home: Path) -> None:
    write(home, "retries = 5\nversion-rolling = true\nblock_interval = 2.5\n")
    got = load(retries=0, version_rolling=False, block_interval="0")
    assert (got.retries, got.version_rolling, got.block_interval_s) == (0, False, 0.0)


def test_the_nth_user_belongs_to_the_nth_pool() -> None:
    got = load(pool=("a:1", "stratum+ssl://b:2"), user=("ua", "ub"), password=("pa", "pb"))
    assert [str(pool.url) for pool in got.pools] == ["stratum+tcp://a:1", "stratum+ssl://b:2"]
    assert [(pool.user, pool.password) for pool in got.pools] == [
        ("ua", Secret("pa")),
        ("ub", Secret("pb")),
    ]
    one = load(pool=("a:1", "b:2"), user=("u",))
    assert [(pool.user, pool.password) for pool in one.pools] == [("u", DUMMY_PASSWORD)] * 2


def test_login_inside_the_url_and_in_one_word() -> None:
    got = load(pool="stratum+tcp://al%40ice:s%3Aecret@[::1]:3333")
    assert (str(got.pools[0].url), got.pools[0].user) == ("stratum+tcp://[::1]:3333", "al@ice")
    assert got.pools[0].password == Secret("s:ecret")
    assert "s:e" not in repr(got)
    pair = load(node="http://[::1]:8332", userpass="bob:a:b", address=ADDRESS)
    assert str(pair.nodes[0].endpoint) == "http://[::1]:8332"
    assert (pair.nodes[0].user, pair.nodes[0].password) == ("bob", Secret("a:b"))


def test_http_given_as_a_pool_is_a_node() -> None:
    got = load(pool="http://localhost", user="u", password="p", address=ADDRESS)
    assert str(got.nodes[0].endpoint) == "http://localhost:18443"  # the address's chain
    assert not got.pools


def test_a_template_provider_is_named_as_a_node() -> None:
    got = load(node=(V2, "stratum+sv2://[::1]:8442"), address=ADDRESS)
    assert [str(url) for url in got.providers] == [
        "stratum2+tcp://localhost:8442",
        "stratum2+tcp://[::1]:8442",
    ]
    assert not (got.nodes or got.pools or got.own_node)
    assert got.providers[0].authority is not None and got.providers[1].authority is None


def test_a_node_that_only_checks_gives_no_work() -> None:
    got = load(pool="a:1", user="u", check_node="http://bob:hunter2@localhost")
    assert got.check_node is not None and not got.nodes
    assert str(got.check_node.endpoint) == "http://localhost:8332"
    assert (got.check_node.user, got.check_node.password) == ("bob", Secret("hunter2"))
    assert "hunter2" not in repr(got)


def test_passwords_from_file_and_environment(tmp_path: Path) -> None:
    file = tmp_path / "word"
    file.write_text("from file\nsecond line\n")
    got = load(pool="a:1", user="u", pass_file=str(file))
    assert got.pools[0].password == Secret("from file")
    got = load({"MINER_PASSWORD": "with blank"}, pool="a:1", user="u")
    assert got.pools[0].password == Secret("with blank")


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("60s", Goal(60, "s")),
        ("1.5m", Goal(90, "s")),
        ("5shares", Goal(5, "shares")),
        ("1 block", Goal(1, "blocks")),
    ],
)
def test_goals(text: str, goal: Goal) -> None:
    assert load(stop_after=(text,)).stop_after == (goal,)


V2 = "stratum2+tcp://localhost:8442/9bXiEd8boQVhq7WddEcERUL5tyyJVFYdU8th3HfbNXK3Yw6GRXh"
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"threads": "0"}, "--threads: '0' is not a whole number from 1 to 4096"),
    ({"threads": "two"}, "--threads: 'two'"),
    ({"throttle": "101"}, "--throttle: '101'"),
    ({"intensity": "11"}, "--intensity: '11'"),
    ({"stop_after": ("5",)}, "--stop-after: '5'"),
    ({"stop_after": ("0shares",)}, "--stop-after: '0shares'"),
    ({"stop_after": ("x",)}, "--stop-after: 'x'"),
    ({"block_interval": "-1"}, "--block-interval: '-1'"),
    ({"backend": ("a b;c",)}, "--backend: 'a b;c'"),
    ({"tls_pin": "12"}, "--tls-pin: '12'"),
    ({"tag": "x" * 41}, "--tag: "),
    ({"pool": ("a:1",)}, "give --user"),
    ({"pool": ("a",), "user": ("u",)}, "'stratum+tcp://a'"),
    ({"pool": ("a:0",), "user": ("u",)}, "'stratum+tcp://a:0'"),
    ({"pool": ("a:70000",), "user": ("u",)}, "70000"),
    ({"pool": ("[::1:3333",), "user": ("u",)}, "[::1:3333"),
    ({"pool": ("ftp://a:1",), "user": ("u",)}, "scheme 'ftp' is unknown"),
    ({"pool": ("stratum2+tcp://a:1/k",), "user": ("u",)}, "does not match its checksum"),
    ({"pool": ("a:1",), "user": ("u", "v")}, "--user: given 2 times for 1"),
    ({"node": ("ftp://localhost:8332",), "address": ADDRESS}, "want http:// or https://"),
    ({"node": ("http://",), "address": ADDRESS}, "no host"),
    ({"node": ("http://a:0",), "address": ADDRESS}, "port 0"),
    ({"node": ("http://a",), "address": "bcrt1nonsense"}, "--address: "),
    ({"node": ("http://a",)}, "needs --address"),
    ({"node": ("http://a",), "pool": ("b:1",), "user": ("u",), "address": ADDRESS}, "choose one"),
    ({"node": ("http://a",), "pool": ("b:1",), "user": ("u",)}, "goes to --check-node"),
    ({"node": ("http://a", V2), "address": ADDRESS}, "the first goes to --check-node"),
    ({"node": (V2,)}, "needs --address"),
    ({"node": (V2 + "?channel=standard",), "address": ADDRESS}, "channels belong to pools"),
    ({"node": ("stratum2+tcp://a:1/k",), "address": ADDRESS}, "node stratum2+tcp://a:1: "),
    ({"device_name": "x" * 33}, "at most 32 bytes"),
    ({"device_name": "a\x1b"}, "printable"),
    ({"check_node": "http://localhost"}, "--check-node belongs to"),
    ({"check_node": "ftp://a", "pool": ("b:1",), "user": ("u",)}, "want http:// or https://"),
    ({"node": (V2,), "address": ADDRESS, "datadir": "/x"}, "own node"),
    ({"pool": ("a:1",), "user": ("u",), "datadir": "/x"}, "own node"),
    ({"fresh": True}, "--fresh empties a --datadir"),
    ({"block_interval": "1e3"}, "--block-interval: '1e3'"),
    ({"stop_after": ("99999999d",)}, "longer time than anyone"),
    ({"pass_file": "/does/not/exist", "pool": ("a:1",), "user": ("u",)}, "No such file"),
]


@pytest.mark.parametrize(("flags", "words"), WRONG, ids=[words[:40] for _, words in WRONG])
@fault("P16")
def test_a_wrong_value_is_one_line_that_names_it(flags: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(**flags)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("colour = 'red'\n", "unknown key 'colour'"),
        ("threads = 'x'\n", "threads: 'x' is not a whole number"),
        ("threads = true\n", "threads: True is not a whole number"),
        ("threads = [1, 2]\n", "takes one value"),
        ("threads = \n", "config"),
        ("[mine]\nthreads = 1\n", "unknown key 'mine'"),
        ("decode = 7\n", "decode: 7 is not true or false"),
    ],
)
@fault("P16")
def test_a_wrong_file_names_file_key_and_value(home: Path, content: str, words: str) -> None:
    file = write(home, content)
    with pytest.raises(ConfigError) as caught:
        load()
    assert words in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@fault("P16")
def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="MINER_THREADS: 'many'"):
        load({"MINER_THREADS": "many"})


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        config.load({}, {}, tmp_path / "none.toml")
    other = tmp_path / "other.toml"
    other.write_text("threads = 9\n")
    assert config.load({}, {"MINER_CONFIG": str(other)}).threads == 9


@fault("P14")
def test_no_error_shows_a_password() -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {"pool": ("ftp://u:canary@a:1",)},
        {"pool": ("stratum+tcp://u:canary@a:0",)},
        {"pool": ("stratum+tcp://u:canary@a:1",), "password": ("can\nary",)},
        {"node": ("ftp://u:canary@a:1",), "address": ADDRESS},
        {"pool": ("stratum+tcp://u:canary@a:1\x1b",)},
    )
    for flags in wrong:
        with pytest.raises(ConfigError) as caught:
            load(**flags)
        assert "canary" not in str(caught.value)
        assert "ary" not in str(caught.value).replace("necessary", "")


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@fault("P15")
def test_a_file_with_a_password_must_be_private(home: Path) -> None:
    write(home, "password = 'canary'\n", 0o644)
    with pytest.raises(ConfigError, match="chmod 600") as caught:
        load()
    assert "canary" not in str(caught.value)
    file = write(home, "password = 'canary'\n", 0o600)
    assert load(pool="a:1", user="u").pools[0].password == Secret("canary")
    target = home / "elsewhere"
    file.rename(target)
    file.symlink_to(target)
    with pytest.raises(ConfigError, match="symbolic link"):
        load()
    write(home, "threads = 3\n", 0o644)  # no secret inside: anyone may read it
    assert load().threads == 3


@pytest.mark.parametrize("line", ["pasword = ['hunter2']", "pw = 'hunter2'", "x = 'u:hunter2@h:1'"])
@fault("P14")
def test_the_value_of_an_unknown_key_is_not_shown(tmp_path: Path, line: str) -> None:
    """It may be a misspelt password."""
    file = tmp_path / "config.toml"
    file.write_text(line)
    with pytest.raises(ConfigError) as refused:
        config.from_file(file)
    assert "hunter2" not in str(refused.value)
    assert "unknown key" in str(refused.value)
    assert ("is 'password' meant?" in str(refused.value)) == line.startswith("pas")


@fault("P16")
def test_a_home_folder_of_nobody_is_refused() -> None:
    with pytest.raises(ConfigError, match="--cookie: '~nobody-here/x' begins with ~"):
        settings.check("cookie", "~nobody-here/x", "--cookie")


@pytest.mark.parametrize(
    "content",
    [
        "user = {name = 'bob', password = 'hunter2'}",
        "[[pool]]\nurl = 'a:1'\npassword = 'hunter2'",
        "[pool]\nurl = 'a:1'\npassword = 'hunter2'",
        "pool = [['stratum+tcp://u:hunter2@a:1']]",
        "cookie = {password = 'hunter2'}",
        "pool = ['a:1', 'stratum+tcp://u:hun/ter2@a:1\\u001b']",
        'pool = "stratum+tcp://u:hunter2\'@a:1\\u001b"',
    ],
)
@fault("P14")
def test_tables_and_logins_are_not_repeated(home: Path, content: str) -> None:
    """Other miners' files keep a pool and its password in one table."""
    write(home, content)
    with pytest.raises(ConfigError) as refused:
        load()
    assert "hun" not in str(refused.value)
    assert "ter2" not in str(refused.value)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@fault("P15")
def test_the_password_of_a_node_that_checks_must_be_private(home: Path) -> None:
    write(home, "pool = 'a:1'\nuser = 'u'\ncheck_node = 'http://u:hunter2@a:1'\n", 0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load()


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@pytest.mark.parametrize("key", ["pool", "node"])
@fault("P15")
def test_a_password_inside_a_url_must_be_private_too(home: Path, key: str) -> None:
    address = f"address = '{ADDRESS}'\n"
    write(home, f"{address}{key} = ['a:1', 'http://u:hunter2@a:1']\n", 0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load()
    write(home, f"{address}{key} = 'http://u@a:1'\n", 0o644)  # a name is no secret
    assert load().nodes[0].user == "u"


HUGE = {
    "digits": "9" * 400,
    "hex": "0x" + "f" * 5000,  # Python refuses to print it
    "nested": "[" * 40_000,
    "nested tables": "{a=" * 40_000,
}


@pytest.mark.parametrize("value", HUGE, ids=str)
@pytest.mark.parametrize("key", ["threads", "block_interval", "stop_after", "pool", "json"])
@fault("P16")
def test_no_value_is_too_large_for_one_line(home: Path, key: str, value: str) -> None:
    file = write(home, f"{key} = {HUGE[value]}\n")
    with pytest.raises(ConfigError) as refused:
        load()
    assert str(file) in str(refused.value)
    assert len(str(refused.value)) < 500


@fault("P16")
def test_a_file_is_read_whole_or_not_at_all(home: Path) -> None:
    write(home, "# padding\n" * 110_000 + "address = 'nonsense'\n")
    with pytest.raises(ConfigError, match="larger than 1048576 bytes"):
        load()
    write(home, "pass-file = '/a'\npass_file = '/b'\n")
    with pytest.raises(ConfigError, match="pass_file is given twice"):
        load()


@fault("P16")
def test_the_mark_of_windows_editors_is_no_setting(home: Path) -> None:
    write(home, "\ufeffthreads = 3\r\n")
    assert load().threads == 3
    word = home / "word"
    word.write_text("\ufeffhunter2\r\n", encoding="utf-8")
    got = load(pool="a:1", user="u", pass_file=str(word))
    assert got.pools[0].password == Secret("hunter2")
    file = write(home, "")
    file.write_bytes("threads = 3\n".encode("utf-16"))
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load()


@fault("P16")
def test_a_config_that_cannot_be_read_is_not_taken_for_none(home: Path) -> None:
    file = home / "config" / "config.toml"
    file.mkdir()
    with pytest.raises(ConfigError, match="Is a directory"):
        load()
    file.rmdir()
    file.symlink_to(home / "gone")
    with pytest.raises(ConfigError, match="No such file"):
        load()
