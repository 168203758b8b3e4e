// nbits, target and difficulty: change one, and the other two follow, exactly.

import { number } from "./answers.js";
import { at, guarded } from "./draw.js";
import { DIFFICULTY_1, LARGEST, Wrong, decimal, hex256, hexDigits, nbitsFromTarget, targetFromDifficulty, targetFromNbits } from "./numbers.js";
import { log2, wordsOf } from "./search.js";
import { fact, say, spelled, written } from "./words.js";

const NAMES = ["nbits-compact", "nbits-target", "nbits-difficulty"];
const MOST_LETTERS = 400; // of a number that is read

const shown = ({ text, exact }) => (exact ? "" : "≈ ") + written(text);

// 8 hex digits as they stand, fewer with zeros before them.
function compact(text) {
	const digits = hexDigits(text);
	if (digits.length > 8) throw new Wrong(say("hex_length", { count: digits.length, want: 8 }));
	return targetFromNbits(parseInt(digits, 16));
}

function target(text) {
	const digits = hexDigits(text);
	const value = BigInt(`0x${digits.slice(0, 400)}`);
	if (value > LARGEST || digits.length > 400) throw new Wrong(say("over_256"));
	if (value === 0n) throw new Wrong(say("zero_target"));
	return value;
}

function difficulty(text) {
	if (!text.trim()) throw new Wrong(say("nothing"));
	if (text.trim().startsWith("-")) throw new Wrong(say("not_above_0"));
	const value = number(text.slice(0, MOST_LETTERS), fact("lang"));
	if (!value) throw new Wrong(say("no_number", { value: text.slice(0, 24) }));
	return targetFromDifficulty(value);
}

const READ = { "nbits-compact": compact, "nbits-target": target, "nbits-difficulty": difficulty };

// Everything that one target says; the field that was typed into stays as it is.
function show(value, typed) {
	const nbits = nbitsFromTarget(value);
	const kept = targetFromNbits(nbits);
	const texts = { "nbits-compact": nbits.toString(16).padStart(8, "0"), "nbits-target": hex256(value), "nbits-difficulty": spelled(decimal(DIFFICULTY_1, value).text) };
	for (const name of NAMES) {
		if (name === typed) continue;
		at(name).value = texts[name];
		guarded(at(name), () => {});
	}
	const exponent = nbits >>> 24;
	const mantissa = (nbits & 0x7fffff).toString(16).padStart(6, "0");
	at("nbits-steps").textContent = say("nbits_steps", { exponent, exponent_hex: exponent.toString(16).padStart(2, "0"), mantissa, shift: 8 * (exponent - 3) });
	const hashes = decimal(LARGEST + 1n, value + 1n);
	at("nbits-hashes").textContent = say("nbits_hashes", { count: shown(hashes), power: written(log2(wordsOf(value)).toFixed(2)) });
	at("nbits-lost").textContent = kept === value ? "" : say("nbits_lost", { target: hex256(kept) });
}

export function start() {
	for (const name of NAMES) {
		const field = at(name);
		field.addEventListener("input", () => guarded(field, () => show(READ[name](field.value), name)));
	}
	at("nbits-compact").value = "1d00ffff";
	show(compact("1d00ffff"), "nbits-compact");
}
