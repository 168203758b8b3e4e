// The judge of answers: the same rules as miner/learn/answers.py, which tells its words and limits.
// A number is a fraction of two whole numbers: [above, below].

import { fact } from "./words.js";

const SPACE = "[\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]"; // Python's \s
const DIGITS = "[0-9][0-9.,_ ]*(?:e[+-]?[0-9]{1,3})?";
const PLAIN = () => new RegExp(`0x[0-9a-f]+|${DIGITS}`, "y");
const POWER = new RegExp(`${SPACE}*(\\*\\*|\\^|hoch|to the power of)${SPACE}*`, "y");
const SIGN = new RegExp(`${SPACE}*(\\*|x|·|×|mal|times|/)${SPACE}*`, "y");

const strip = (text, inside) => text.replace(new RegExp(`^${inside}+|${inside}+$`, "g"), "");
const trim = (text) => strip(text, SPACE);
const fold = (text) => text.toLowerCase().replace(/ß/g, "ss");
const wordsIn = (text) => text.split(new RegExp(SPACE)).filter((one) => one);
const listed = (table, key) => Object.prototype.hasOwnProperty.call(table, key);
const times = ([a, b], [c, d]) => [a * c, b * d];

function matchAt(pattern, text, place) {
	pattern.lastIndex = place;
	return pattern.exec(text);
}

// The number an answer means; null when it means none. A per cent sign is not applied.
export function number(answer, lang) {
	const known = fact("answers");
	let text = Array.from(fold(trim(answer))).slice(0, known.longest).join("").replace(/[. ]+$/, "");
	const words = wordsIn(text).filter((one) => !known.articles.includes(one));
	if (lang === "de") text = otherWay(text);
	if (words.length && listed(known.words, words[0])) return times(fraction(known.words[words[0]]), scale(words.slice(1)));
	const start = new RegExp(PLAIN().source).exec(text);
	if (!start || text.slice(0, start.index).includes("-")) return null;
	const value = product(text, matchAt(PLAIN(), text, start.index));
	return value && times(value, scale(wordsIn(text.slice(start.index + start[0].length))));
}

// Thousand, million and the like that follow a number.
function scale(words) {
	const sizes = fact("answers").times;
	let size = 1n;
	for (const one of words) {
		if (!listed(sizes, one)) break;
		size *= BigInt(sizes[one]);
	}
	return [size, 1n];
}

// Points and commas as English has them; a point is a decimal sign where it must be one.
function otherWay(text) {
	const thousands = /[0-9]{1,3}(\.[0-9]{3})+(,[0-9]*)?(?![0-9.])/.test(text);
	if (!thousands && !text.includes(",")) return text;
	return text.replace(/([0-9])([.,])(?=[0-9])/g, (_, digit, sign) => digit + (sign === "." ? "," : "."));
}

// A number, a power of one or a product of those, and whatever follows: a unit.
function product(text, found) {
	let [value, place] = power(text, found);
	for (let sign; value && (sign = matchAt(SIGN, text, place)); ) {
		const following = matchAt(PLAIN(), text, place + sign[0].length);
		if (!following) break; // "12 x": a unit
		let other;
		[other, place] = power(text, following);
		if (!other || (sign[1] === "/" && !other[0])) return null;
		value = times(value, sign[1] === "/" ? [other[1], other[0]] : other);
	}
	return value;
}

// A number or a power, and where it ends.
function power(text, found) {
	const value = plain(found[0]);
	const end = found.index + found[0].length;
	const sign = matchAt(POWER, text, end);
	const following = sign && matchAt(PLAIN(), text, end + sign[0].length);
	if (!value || !following) return [value, end];
	const exponent = plain(following[0]);
	const whole = exponent && exponent[0] % exponent[1] === 0n && exponent[0] / exponent[1];
	const small = value[0] <= value[1] << 64n && whole !== null && whole <= BigInt(fact("answers").largest_power);
	const after = following.index + following[0].length;
	if (whole === null || whole === false || !small) return [null, after];
	return [[value[0] ** whole, value[1] ** whole], after];
}

// Digits with their separators.
function plain(given) {
	const text = strip(given, "[ ,_]");
	if (text.startsWith("0x")) return [BigInt(text), 1n];
	let [digits, exponent] = text.replace(/[_ ]/g, "").split("e");
	digits = /^[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$/.test(digits) ? digits.replace(/,/g, "") : digits.replace(/,/g, ".");
	if (!/^[0-9]+(\.[0-9]*)?$/.test(digits)) return null;
	return fraction(exponent === undefined ? digits : `${digits}e${exponent}`);
}

// 1/2, 0.9, 5e9 as Python's Fraction reads them.
export function fraction(text) {
	const [above, below] = text.split("/");
	const [digits, exponent] = above.split("e");
	const [whole, rest = ""] = digits.split(".");
	const shift = Number(exponent || 0) - rest.length;
	const value = BigInt(whole + rest);
	const size = 10n ** BigInt(Math.abs(shift));
	return times(shift < 0 ? [value, size] : [value * size, 1n], [1n, BigInt(below || 1)]);
}

const within = (low, [a, b], high) => low[0] * b <= a * low[1] && a * high[1] <= high[0] * b;

// Whether a rule takes an answer: yes, no, number 72, near 0.9 1.1, words a, b.
export function takes(rule, answer, lang) {
	const [, kind, rest] = /^(\S+) ?(.*)$/s.exec(trim(rule));
	if (kind === "number" || kind === "near") {
		const [low, high = low] = kind === "near" ? wordsIn(rest).map(fraction) : [fraction(rest)];
		const value = number(answer, lang);
		if (!value) return false;
		const share = fact("answers").shares.some((sign) => answer.includes(sign));
		return within(low, value, high) || (share && within(low, times(value, [1n, 100n]), high));
	}
	const accepted = { yes: fact("answers").yes, no: fact("answers").no }[kind] || rest.split(",").map((one) => fold(trim(one)));
	return accepted.includes(fold(strip(trim(answer), "[.!]")));
}
