// What Python told the page, its words, and numbers as its language writes them.

let facts = {};

export function learnFacts(given) {
	facts = given;
}

export const fact = (name) => facts[name];

const group = (text) => text.replace(/\B(?=(\d{3})+$)/g, facts.thousands);

// 10^14 and 2^96 with their powers raised; 2^188.9 stays, since no raised point is readable.
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const raised = (text) => text.replace(/\^(-?)(\d+)(?![.,]?\d)/g, (_, minus, digits) => (minus && "⁻") + digits.replace(/\d/g, (one) => RAISED[one]));

// A word of the page with its {places} filled.
export const say = (key, values = {}) => raised(facts.words[key].replace(/\{([a-z_0-9]+)\}/g, (_, name) => values[name]));

// A whole number with its thousands apart.
export const count = (value) => group(BigInt(value).toString());

// Four digits that count; a power of ten where it is very large or small.
export function short(value) {
	if (value === 0) return "0";
	if (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6) return written(value.toExponential(2));
	return written(value >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(4))));
}

// A number in the page's language: 1234.5e7 becomes 1,234.5·10⁷.
export const written = (text) => raised(spelled(text));

// The same as it can be typed: 1,234.5·10^7.
export function spelled(text) {
	const [digits, power] = text.replace("e+", "e").split("e");
	const [whole, rest] = digits.split(".");
	const mantissa = group(whole) + (rest ? facts.decimal + rest : "");
	return power && power !== "0" ? `${mantissa}·10^${power}` : mantissa;
}

const PREFIXES = [[1e18, "E"], [1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];

export function si(value, unit) {
	const [size, letter] = PREFIXES.find(([least]) => value >= least) || [1, ""];
	return `${size > 1 ? written(String(Number((value / size).toPrecision(3)))) : short(value)}\u00a0${letter}${unit}`;
}

const SPANS = [[31557600, "years"], [86400, "days"], [3600, "hours"], [60, "minutes"], [1, "seconds"]];

export function span(seconds) {
	const [size, unit] = SPANS.find(([least]) => seconds >= 2 * least) || SPANS.at(-1);
	return `${short(Number((seconds / size).toPrecision(2)))}\u00a0${facts.words[unit]}`;
}
