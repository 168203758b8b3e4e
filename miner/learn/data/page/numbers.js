// Targets as whole numbers of 256 bits; nbits and difficulty are ways to write them.

import { say } from "./words.js";

export const LARGEST = (1n << 256n) - 1n;
export const DIFFICULTY_1 = 0xffffn << 208n;
export const PERIOD_S = 1209600n;

// What a person typed that means nothing; `message` is one line for that person.
export class Wrong extends Error {}

export const hex256 = (number) => number.toString(16).padStart(64, "0");
const quoted = (text) => (text.length > 24 ? `${Array.from(text).slice(0, 24).join("")}…` : text);

// Hex digits, 0x before them or not, spaces between them or not. Throws Wrong.
export function hexDigits(text, exactly = 0) {
	const digits = text.replace(/\s/g, "").replace(/^0x/i, "").toLowerCase();
	const strange = Array.from(digits).find((one) => !/[0-9a-f]/.test(one));
	if (strange !== undefined) throw new Wrong(say("no_hex", { value: strange }));
	if (exactly && digits.length !== exactly) throw new Wrong(say("hex_length", { count: digits.length, want: exactly }));
	if (!digits) throw new Wrong(say("nothing"));
	return digits;
}

// A whole number of 32 bits, in decimal or with 0x in hex. Throws Wrong.
export function uint32(text) {
	const plain = text.replace(/[\s_]/g, "");
	if (!plain) throw new Wrong(say("nothing"));
	if (!/^(0x[0-9a-f]{1,64}|[0-9]{1,64})$/i.test(plain)) throw new Wrong(say("no_number", { value: quoted(text) }));
	const value = BigInt(plain);
	if (value >= 1n << 32n) throw new Wrong(say("over_32", { value: quoted(text) }));
	return Number(value);
}

// The target that nbits stand for, as consensus has it. Throws Wrong where consensus refuses.
export function targetFromNbits(nbits) {
	const exponent = BigInt(nbits >>> 24);
	const mantissa = BigInt(nbits & 0x7fffff);
	if (nbits & 0x800000 && mantissa) throw new Wrong(say("sign_bit"));
	const target = exponent >= 3n ? mantissa << (8n * (exponent - 3n)) : mantissa >> (8n * (3n - exponent));
	if (target === 0n) throw new Wrong(say("zero_target"));
	if (target > LARGEST) throw new Wrong(say("over_256"));
	return target;
}

// The compact form, rounded down to three bytes that are not negative.
export function nbitsFromTarget(target) {
	if (target <= 0n) throw new Wrong(say("zero_target"));
	if (target > LARGEST) throw new Wrong(say("over_256"));
	const exponent = BigInt(target.toString(2).length) / 8n + 1n;
	const mantissa = exponent <= 3n ? target << (8n * (3n - exponent)) : target >> (8n * (exponent - 3n));
	return Number((exponent << 24n) | mantissa) >>> 0;
}

// The target of a difficulty given as a fraction [above, below]; at least 1, at most the largest.
export function targetFromDifficulty([above, below]) {
	if (above <= 0n) throw new Wrong(say("not_above_0"));
	const target = (DIFFICULTY_1 * below) / above;
	return target < 1n ? 1n : target > LARGEST ? LARGEST : target;
}

// The next period's target from the seconds this one took; `most`: the limit's factor, 0 for none.
export function nextTarget(previous, span, easiest, most = 4n) {
	let counted = span < 1n ? 1n : span;
	if (most && counted < PERIOD_S / most) counted = PERIOD_S / most;
	if (most && counted > PERIOD_S * most) counted = PERIOD_S * most;
	const wanted = (previous * counted) / PERIOD_S;
	return targetFromNbits(nbitsFromTarget(wanted > easiest ? easiest : wanted < 1n ? 1n : wanted));
}

// A fraction as a decimal number with so many digits that count, and whether that is all of it.
export function decimal(above, below, digits = 15) {
	let exponent = above.toString().length - below.toString().length;
	const scaled = (power) => (power >= 0 ? [above, below * 10n ** BigInt(power)] : [above * 10n ** BigInt(-power), below]);
	const [a, b] = scaled(exponent);
	if (a < b) exponent -= 1;
	const [c, d] = scaled(exponent - digits + 1);
	let text = (c / d).toString();
	const exact = c % d === 0n;
	if (exponent >= digits || exponent < -6) {
		const rest = text.slice(1).replace(/0+$/, "");
		return { text: `${text[0]}${rest && `.${rest}`}e${exponent}`, exact };
	}
	if (exponent < 0) text = "0".repeat(-exponent) + text;
	const whole = Math.max(exponent, 0) + 1;
	const rest = text.slice(whole).replace(/0+$/, "");
	return { text: `${text.slice(0, whole)}${rest && `.${rest}`}`, exact };
}
