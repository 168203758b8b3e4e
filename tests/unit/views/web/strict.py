"""The strictest reader of AxeOS' API that is known, written anew from its rules: bitaxe-fleet's
parser refuses the whole device for any breach of these."""

import re
from typing import Any

MOST_BYTES = 64 << 10
TEXT = re.compile(r"[\x20-\x7e]{1,128}")
MAC = re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")
WHOLE = (
    "asicCount smallCoreCount sharesAccepted sharesRejected sharesPending stratumPort "
    "fallbackStratumPort isUsingFallbackStratum uptimeSeconds totalUptimeSeconds frequency "
    "coreVoltage voltage fanrpm fanspeed autofanspeed overheat_mode blockFound wifiRSSI"
).split()
RANGES = {
    "temp": (0, 200),
    "temp2": (-1, 200),
    "vrTemp": (-1, 200),
    "frequency": (1, 10_000),
    "coreVoltage": (1, 10_000),
    "wifiRSSI": (-200, 0),
    "errorPercentage": (0, 100),
    "asicCount": (0, 256),
    "hashRate": (0, 1e9),
    "power": (0, 1e6),
}
NEEDED = ("ASICModel", "macAddr", "hashRate", "version", "hostname")


def breaches(info: dict[str, Any]) -> list[str]:
    """What of `/api/system/info` it would not take."""
    found = [f"{name} is missing" for name in NEEDED if name not in info]
    found += [f"{name} is null" for name, value in info.items() if value is None]
    if not TEXT.fullmatch(str(info.get("ASICModel", ""))):
        found.append("ASICModel is no printable text")
    mac = str(info.get("macAddr", ""))
    digits = mac.replace(":", "")
    if not MAC.fullmatch(mac) or int(digits, 16) in (0, 2**48 - 1) or int(digits[:2], 16) & 1:
        found.append(f"macAddr {mac} is no single device's")
    for name in WHOLE:
        if name in info and type(info[name]) is not int:
            found.append(f"{name} {info[name]!r} is no whole number")
    for name, (low, high) in RANGES.items():
        value = info.get(name, low)
        if type(value) not in (int, float) or not low <= value <= high:
            found.append(f"{name} {value!r} is not {low}..{high}")
    for row in info.get("sharesRejectedReasons", ()):
        if not row.get("message") or type(row.get("count")) is not int:
            found.append(f"{row} is no reason")
    return found


def asic_breaches(asic: dict[str, Any]) -> list[str]:
    """What of `/api/system/asic` it would not take."""
    found = [] if TEXT.fullmatch(str(asic.get("ASICModel", ""))) else ["ASICModel"]
    for options, default in (
        ("frequencyOptions", "defaultFrequency"),
        ("voltageOptions", "defaultVoltage"),
    ):
        if options in asic and (not asic[options] or asic.get(default) not in asic[options]):
            found.append(options)
    if not 0 <= asic.get("asicCount", 0) <= 256:
        found.append("asicCount")
    return found
