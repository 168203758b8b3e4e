// Numbers as the miner's other screens write them (miner/units.py); "–" for what is not known.

const PREFIXES = ["k", "M", "G", "T", "P", "E", "Z", "Y"].map((name, n) => [1000 ** (n + 1), name]).reverse();
const YEAR = 31557600;
const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
const HIGH = "⁰¹²³⁴⁵⁶⁷⁸⁹";

export const known = (value) => typeof value === "number" && Number.isFinite(value);

export function significant(value, digits = 3) {
	if (value === 0) return "0";
	const size = Math.abs(value);
	if (size < 1e-3 || size >= 1e5) return value.toExponential(digits - 1).replace("e+", "e");
	const rounded = Number(value.toPrecision(digits));
	const places = digits - 1 - Math.floor(Math.log10(Math.abs(rounded)) + 1e-12);
	return rounded.toFixed(Math.max(places, 0));
}

export function si(value, unit = "", digits = 3) {
	if (!known(value)) return "–";
	const up = 1 - 0.5 * 10 ** -digits;
	const [factor, prefix] = PREFIXES.find(([size]) => Math.abs(value) >= size * up) || [1, ""];
	const scaled = value / factor;
	const whole = Math.abs(scaled) < 1000 && Number.isInteger(scaled);
	return `${whole ? scaled : significant(scaled, digits)} ${prefix}${unit}`.trimEnd();
}

export const rate = (value) => si(value, "H/s");
export const count = (value) => (known(value) ? value.toLocaleString("en-GB") : "–");

export function duration(s) {
	if (!known(s)) return "–";
	if (s < 1) return `${(1000 * s).toFixed(0)} ms`;
	if (s >= 2 * YEAR) {
		const years = s / YEAR;
		return years < 1e15 ? `${Math.round(years).toLocaleString("en-GB")} years` : `${years.toExponential(1)} years`;
	}
	let left = Math.round(s);
	const parts = [];
	for (const [size, unit] of UNITS) {
		if (left >= size || (parts.length && parts.length < 2)) {
			parts.push(`${Math.floor(left / size)} ${unit}`);
			left %= size;
		}
		if (parts.length === 2) break;
	}
	return parts.filter((part) => !part.startsWith("0 ")).join(" ") || "0 s";
}

// A wait that nobody needs to the year: 24 million years.
export function wait(s) {
	if (known(s) && s < 0.001) return "less than a millisecond";
	return known(s) && s >= 1e4 * YEAR ? `${many(s / YEAR)} years` : duration(s);
}

// 12.3, or 662,000: for figures whose unit stays the same.
export const plain = (value) => (known(value) ? (value < 1000 ? significant(value) : count(Number(value.toPrecision(3)))) : "–");

export function chance(p) {
	if (!known(p)) return "–";
	if (p <= 0) return "none";
	if (p > 0.9995) return "almost certain";
	if (p >= 0.01) return `${Number((100 * p).toPrecision(3))} %`;
	return `1 in ${many(1 / p)}`;
}

export function many(value) {
	for (const [size, name] of [[1e15, ""], [1e12, "trillion"], [1e9, "billion"], [1e6, "million"], [1e3, "thousand"]]) {
		if (value < size) continue;
		return name ? `${Number((value / size).toPrecision(3))} ${name}` : power(value);
	}
	return String(Number(value.toPrecision(3)));
}

// 3 × 10¹⁸
export function power(value) {
	const [digits, exponent] = value.toExponential(0).split("e+");
	return `${digits} × 10${[...exponent].map((digit) => HIGH[digit]).join("")}`;
}

export const reasons = (told) => Object.entries(told || {}).slice(0, 3).map(([word, n]) => `${word || "no reason"} ${n}`).join(", ");
export const some = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;
export const btc = (sat) => (known(sat) ? `${Number((sat / 1e8).toFixed(8))} BTC` : "–");
export const time = (s) => (known(s) ? new Date(1000 * s).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" }) : "–");
export const ago = (s, now) => `${duration(Math.max(now - s, 0))} ago`;

export function day(s, now) {
	return now - s < 86400 ? time(s) : new Date(1000 * s).toLocaleString([], { dateStyle: "short", timeStyle: "short" });
}
