"""Positional and named JSON-RPC arguments, checked as Bitcoin Core checks them."""

import json
from dataclasses import dataclass
from typing import Any

from miner.node.jsonrpc import INVALID_PARAMETER, MISC, TYPE, Params, RpcFault

KINDS = {"string": str, "object": dict, "number": int, "bool": bool, "array": list}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its name and aliases, the JSON kinds it takes, "" for any."""

    names: str  # "verbosity|verbose"
    kinds: str = "string"  # "number|bool"
    required: bool = True

    @property
    def name(self) -> str:
        return self.names.split("|")[0]


def arrange(method: str, params: Params, arguments: tuple[Argument, ...]) -> list[Any]:
    """One value for each argument, None where absent; RpcFault when they do not fit."""
    values = params if isinstance(params, list) else _from_named(params, arguments)
    needed = sum(argument.required for argument in arguments)
    if len(values) > len(arguments) or sum(v is not None for v in values[:needed]) < needed:
        raise RpcFault(MISC, usage(method, arguments))
    values = [*values, *[None] * (len(arguments) - len(values))]
    wrong = {}
    for place, (argument, value) in enumerate(zip(arguments, values, strict=True), start=1):
        if (value is not None or argument.required) and not _fits(value, argument.kinds):
            found = f"JSON value of type {_kind(value)} is not of expected type {argument.kinds}"
            wrong[f"Position {place} ({argument.name})"] = found
    if wrong:
        raise RpcFault(TYPE, "Wrong type passed:\n" + json.dumps(wrong, indent=4))
    return values


def usage(method: str, arguments: tuple[Argument, ...]) -> str:
    """One line, optional arguments in brackets: `getblock blockhash ( verbosity )`."""
    needed = [argument.name for argument in arguments if argument.required]
    optional = [f"( {argument.name} )" for argument in arguments if not argument.required]
    return " ".join([method, *needed, *optional])


def _from_named(params: dict[str, Any], arguments: tuple[Argument, ...]) -> list[Any]:
    """By name; `args` may carry leading positional ones, as bitcoin-cli -named sends them."""
    left = dict(params)
    given = left.pop("args", [])
    if not isinstance(given, list):
        raise RpcFault(INVALID_PARAMETER, "Parameter args must be an array")
    values = list(given)
    for place, argument in enumerate(arguments):
        names = [name for name in argument.names.split("|") if name in left]
        if len(names) > 1 or (names and place < len(values)):
            raise RpcFault(INVALID_PARAMETER, f"Parameter {names[0]} specified twice")
        if place >= len(values):
            values.append(left.pop(names[0]) if names else None)
    if left:
        raise RpcFault(INVALID_PARAMETER, f"Unknown named parameter {next(iter(left))}")
    return values


def _fits(value: Any, kinds: str) -> bool:
    return not kinds or any(type(value) is KINDS[kind] for kind in kinds.split("|"))


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, float):
        return "number"
    return next(kind for kind, found in KINDS.items() if type(value) is found)
