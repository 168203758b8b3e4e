"""Mistakes people make: what was given, the exit code, and a word of the one line that explains it.

Exit codes: 1 other errors, 2 usage and settings, 3 backend, 5 the source said no, 6 not reached.
"""

from typing import NamedTuple

from miner.bitcoin.address import p2wsh_address

REGTEST = p2wsh_address(b"\x51", "regtest")
TESTNET = p2wsh_address(b"\x51", "test")
MAINNET = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"


class Mistake(NamedTuple):
    """`HOME` stands for a folder that exists: it holds `config` as given and ready-made files."""

    given: str  # arguments, split at blanks; before them NAME=value for the environment
    code: int
    words: str  # in the line
    config: str | None = None  # config.toml

    @property
    def name(self) -> str:
        return self.given + (f" [{self.config}]" if self.config else "")


AT_NODE = f"mine --address {REGTEST} --backend hashlib --retries 0 --node"
NOBODY = "http://127.0.0.1:1"
AT_POOL = "mine --user u --backend hashlib --retries 0 --pool"

MISTAKES = [
    # What no option is, and what an option is not
    Mistake("dig", 2, "No such command 'dig'"),
    Mistake("mine --no-such-flag", 2, "No such option '--no-such-flag'; see miner mine --help"),
    Mistake("mine extra", 2, "unexpected extra argument (extra)"),
    Mistake("mine --pool", 2, "Option '--pool' requires an argument"),
    Mistake("mine --algo scrypt", 2, "sha256d alone"),
    Mistake("mine --threads 0", 2, "--threads: '0' is not a whole number from 1 to 4096"),
    Mistake("mine --threads two", 2, "--threads: 'two'"),
    Mistake("mine --throttle 101", 2, "--throttle: '101'"),
    Mistake("mine --intensity 11", 2, "--intensity: '11'"),
    Mistake("mine --blocks -1", 2, "--blocks: '-1'"),
    Mistake("mine --block-interval soon", 2, "--block-interval: 'soon'"),
    Mistake("mine --stop-after 5", 2, "--stop-after: '5' is not a goal"),
    Mistake("mine --stop-after 0blocks", 2, "--stop-after: '0blocks'"),
    Mistake("mine --retries -2", 2, "--retries: '-2'"),
    Mistake("mine --tag " + "x" * 41, 2, "at most 40 printable bytes"),
    Mistake("mine --backend nat!ve", 2, "--backend: 'nat!ve'"),
    Mistake("mine --tls-pin abcd", 2, "--tls-pin: 'abcd'"),
    # Sources
    Mistake("mine --pool localhost --user u", 2, "the port is missing"),
    Mistake("mine --pool localhost:0 --user u", 2, "port '0' is not 1 to 65535"),
    Mistake("mine --pool localhost:70000 --user u", 2, "port '70000'"),
    Mistake("mine --pool ::1:3333 --user u", 2, "in brackets"),
    Mistake("mine --pool gopher://h:1 --user u", 2, "scheme 'gopher' is unknown"),
    Mistake("mine --pool stratum2+tcp://h:1 --user u", 2, "Stratum v2"),
    Mistake("mine --pool localhost:3333", 2, "no user name; give --user"),
    Mistake("mine --pool h:1 --user a --user b", 2, "--user: given 2 times for 1"),
    Mistake(f"mine --pool h:1 --user u --node {NOBODY} --address {REGTEST}", 2, "choose one"),
    Mistake(f"mine --node ftp://h --address {REGTEST}", 2, "want http:// or https://"),
    Mistake(f"mine --node http:// --address {REGTEST}", 2, "no host"),
    Mistake(f"mine --node http://h:0 --address {REGTEST}", 2, "port 0"),
    Mistake(f"mine --node http://h:x --address {REGTEST}", 2, "cannot be read"),
    Mistake(f"mine --node http://h/?q --address {REGTEST}", 2, "nothing may follow the path"),
    Mistake(f"mine --node {NOBODY}", 2, "--node needs --address"),
    Mistake(f"{AT_NODE} http://192.0.2.1", 2, "is not this computer: give --cookie"),
    Mistake(f"{AT_NODE} {NOBODY} --user u", 2, "a user without a password"),
    Mistake("mine --config=", 2, "Is a directory"),
    Mistake("mine", 2, "pool: a table is not", "[[pool]]\nurl = 'h:1'\npassword = 'canary-word'"),
    Mistake(f"mine --node {NOBODY} --address bcrt1qqq", 2, "--address: "),
    Mistake("mine --address nonsense", 2, "nonsense"),
    Mistake("mine --address " + MAINNET[:-1] + "b", 2, "checksum"),
    Mistake("mine --fresh", 2, "name it"),
    Mistake(f"mine --datadir HOME --node {NOBODY} --address {REGTEST}", 2, "own node"),
    # Files
    Mistake("mine --config HOME/none.toml", 2, "No such file"),
    Mistake("mine --config HOME", 2, "Is a directory"),
    Mistake("mine --pool h:1 --user u --pass-file HOME/none", 2, "No such file"),
    Mistake("mine --pool h:1 --user u --pass-file HOME/binary", 2, "is not UTF-8"),
    Mistake(AT_POOL + " stratum+ssl://127.0.0.1:1 --tls-ca HOME/none", 2, "HOME/none"),
    Mistake(AT_POOL + " stratum+ssl://127.0.0.1:1 --tls-ca HOME/empty", 2, "HOME/empty"),
    Mistake("mine --journal HOME/none/blocks --backend hashlib", 1, "No such file"),
    Mistake("mine --journal HOME --backend hashlib", 1, "Is a directory"),
    Mistake("mine --datadir HOME/empty", 1, "HOME/empty"),
    Mistake("mine", 2, "unknown key 'pols'", 'pols = "h:1"'),
    Mistake("mine", 2, "threads: 'many'", 'threads = "many"'),
    Mistake("mine", 2, "json: 3", "json = 3"),
    Mistake("mine", 2, "config.toml: ", 'pool = "unfinished'),
    Mistake("mine", 2, "takes one value, not a list", "threads = [1, 2]"),
    Mistake("mine", 2, "chmod 600", 'password = "canary-word"'),
    # Environment
    Mistake("MINER_THREADS=many mine", 2, "MINER_THREADS: 'many'"),
    Mistake("MINER_POOL=h mine", 2, "the port is missing"),
    Mistake("MINER_CONFIG=/no/such.toml mine", 2, "/no/such.toml"),
    Mistake("MINER_JSON=perhaps mine", 2, "MINER_JSON: 'perhaps'"),
    Mistake(f"MINER_RPC_USER=u {AT_NODE} {NOBODY}", 2, "set both or none"),
    # Backends
    Mistake("mine --backend abacus", 3, "abacus"),
    Mistake("mine --backend native:mmx", 3, "native:mmx"),
    Mistake("mine --backend opencl:9:9", 3, "opencl:9:9"),
    Mistake("bench --backend abacus --quick", 3, "abacus"),
    # Chains and reach; waiting could cure these, so one try is asked for
    Mistake(f"mine --address {MAINNET} --blocks 1", 5, "regtest"),
    Mistake(f"mine --address {TESTNET} --blocks 1", 5, "regtest"),
    Mistake(f"{AT_NODE} {NOBODY} --cookie HOME/none", 6, "no cookie at HOME/none"),
    Mistake(f"{AT_NODE} {NOBODY} --cookie HOME/empty", 6, "is empty"),
    Mistake(f"{AT_NODE} {NOBODY} --cookie HOME/binary", 5, "is not a cookie"),
    Mistake(f"{AT_NODE} {NOBODY} --cookie HOME", 5, "cannot be read"),
    Mistake(f"{AT_NODE} {NOBODY} --userpass u:p", 6, "127.0.0.1:1"),
    Mistake(f"{AT_NODE} http://no.such.invalid:8332 --userpass u:p", 6, "no.such.invalid"),
    Mistake(f"{AT_POOL} 127.0.0.1:1", 6, "refused"),
    Mistake(f"{AT_POOL} no.such.invalid:3333", 6, "no.such.invalid"),
    # Other commands
    Mistake("grind 00", 2, "2 hex digits, want 160"),
    Mistake("grind zz", 2, "zz"),
    Mistake("node --port 99999", 2, "99999"),
    Mistake("node --block-interval nan", 2, "--block-interval nan"),
    Mistake("node --block-interval -1", 2, "not in the range"),
    Mistake("explain perpetuum", 2, "perpetuum"),
    Mistake("learn 99", 2, "99"),
    Mistake("learn exercise 99", 2, "choose one of: 1 header"),
    Mistake("learn exercise 2 HOME/none.py", 2, "No such file; add --skeleton"),
    Mistake("learn exercise 2 HOME/none/x.py --skeleton", 2, "cannot be written: No such file"),
    Mistake("learn 1 2", 2, "unexpected extra argument (2)"),
    Mistake("gap --from HOME/none", 2, "HOME/none"),
    Mistake("bench compare HOME/none HOME/none", 2, "HOME/none"),
    # Places that keep nothing
    Mistake(f"{AT_POOL} 127.0.0.1:1 --journal /dev/null", 1, "no ordinary file"),
    Mistake(f"mine --pool 127.0.0.1:1 --user {'x' * 257}", 2, "user name is longer than 256 bytes"),
    Mistake(
        f"{AT_POOL} 127.0.0.1:1 --password {'x' * 257}", 2, "password is longer than 256 bytes"
    ),
    Mistake(f"SSLKEYLOGFILE=HOME/none/x {AT_POOL} 127.0.0.1:1", 2, "miner: TLS cannot be used"),
    Mistake(f"MINER_HOME=HOME/empty {AT_POOL} 127.0.0.1:1", 1, "HOME/empty"),
]
SAMPLE = [0, 5, 18, 50, 56, 61, 65, 66, 74]  # of MISTAKES, as real processes in every run
