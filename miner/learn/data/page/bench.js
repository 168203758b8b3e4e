// The workbench: a header whose fields can be edited, its hash, a target, and a search.

import { at, guarded, inSlices, label, make } from "./draw.js";
import { LARGEST, Wrong, hex256, hexDigits, targetFromNbits, uint32 } from "./numbers.js";
import { Search, Tried, log2, wordsOf } from "./search.js";
import { display, hex, sha256d, unhex } from "./sha256.js";
import { count, fact, say, short, si, written } from "./words.js";

// name, first byte, bytes, and how it is written and read
const FIELDS = [
	["version", 0, 4, (raw) => `0x${display(raw)}`, uint32],
	["previous", 4, 32, display, (text) => hexDigits(text, 64)],
	["root", 36, 32, display, (text) => hexDigits(text, 64)],
	["time", 68, 4, (raw) => String(little(raw)), uint32],
	["nbits", 72, 4, (raw) => `0x${display(raw)}`, (text) => legalNbits(text)],
	["nonce", 76, 4, (raw) => String(little(raw)), uint32],
];
const SPOTS = 380; // places for dots on the line
const PIECE = 500; // hashes between two looks at the clock
const REDRAW_MS = 250;

let header = new Uint8Array(80);
let own = 0; // the nonce the chosen header came with
let chosenTarget = 0n;
let ownTarget = false; // the header's own instead of the slider's
let spots = new Set();
let tried = new Tried();
let wins = [];
let since = 0; // tries since the last win
let best = null; // [log2, nonce]
let stop = null;

const little = (raw) => new DataView(raw.buffer, raw.byteOffset).getUint32(0, true);
const nonceOf = () => little(header.subarray(76));
const nbitsOf = () => little(header.subarray(72));
export const bytesOfHeader = () => header;

function legalNbits(text) {
	const digits = hexDigits(text, 8);
	targetFromNbits(parseInt(digits, 16));
	return digits;
}

// Puts a field's value into the bytes: a whole number, or digits as people read them.
function write(from, size, value) {
	const raw = typeof value === "string" ? unhex(value).reverse() : new Uint8Array(Uint32Array.of(value).buffer);
	const changed = header.slice();
	changed.set(raw.subarray(0, size), from);
	header = changed;
}

// The target in the header's own nbits; 0 where consensus would refuse them.
function headerTarget() {
	try {
		return targetFromNbits(nbitsOf());
	} catch (error) {
		if (error instanceof Wrong) return 0n;
		throw error;
	}
}

const sliderTarget = () => (LARGEST >> BigInt(at("bench-target").value)); // one nonce in 2^value wins
const target = () => (ownTarget ? headerTarget() : chosenTarget);

// What was tried belongs to one header; any other field makes all nonces new.
function forget() {
	halt();
	spots = new Set();
	tried = new Tried();
	best = null;
	since = 0;
}

let floor = 0; // the left end of the line, as a power of two
const spot = (power) => Math.round((SPOTS * Math.max(0, power - floor)) / (256 - floor));
const power2 = (number) => (number > 0n ? log2(wordsOf(number)) : 0);

function drawLine(current) {
	const marks = [[headerTarget(), "header_target", 80], [target(), "your_target", 64]];
	const parts = ['<path class="line" d="M10 30h380"/>'];
	for (const one of spots) parts.push(`<circle class="missed" cx="${10 + one}" cy="30" r="3"/>`);
	for (const [number, name, y] of ownTarget ? marks.slice(0, 1) : marks) {
		const x = 10 + spot(power2(number));
		parts.push(`<path class="${name === "your_target" ? "theory" : "leader"}" d="M${x} 14V${y - 12}"/>${label(x, y, say(name))}`);
	}
	parts.push(`<circle class="own" cx="${10 + spot(current)}" cy="30" r="6"/>${label(10 + spot(current), 12, say("this_hash"))}`);
	at("bench-line").innerHTML = parts.join("");
	at("bench-floor").textContent = floor;
}

// Keeps the line's left end fixed while hashes fall; it moves with the targets.
function measureLine() {
	const powers = [headerTarget(), target()].filter((one) => one > 0n).map(power2);
	floor = Math.max(0, Math.floor(Math.min(...powers, 250)) - 6);
	spots = new Set();
}

function told() {
	const lines = [say("tried", { count: count(tried.count) })];
	if (best) lines.push(say("best", { nonce: count(best[1]), power: written(best[0].toFixed(1)) }));
	if (wins.length) {
		const mean = wins.reduce((sum, one) => sum + one, 0) / wins.length;
		lines.push(say("wins", { times: wins.length, tries: wins.slice(-8).map(count).join(", "), mean: short(mean) }));
	}
	at("bench-tried").textContent = lines.join(" ");
}

function showTarget() {
	const now = target();
	at("bench-target-hex").textContent = hex256(now);
	const shift = at("bench-target").value;
	const wanted = now ? short(Number((LARGEST + 1n) / (now + 1n))) : "∞";
	at("bench-target-value").textContent = ownTarget ? say("own_target") : say("one_in", { count: Number(shift) < 40 ? count(2 ** shift) : `2^${shift}` });
	at("bench-target").setAttribute("aria-valuetext", at("bench-target-value").textContent);
	at("bench-expected").textContent = say("expected_tries", { count: wanted });
	at("bench-own").setAttribute("aria-pressed", String(ownTarget));
}

function showFields(except = null) {
	for (const [name, from, size, text] of FIELDS) {
		const field = at(`bench-${name}`);
		if (field !== except) {
			field.value = text(header.subarray(from, from + size));
			guarded(field, () => {});
		}
	}
	const date = new Date(1000 * little(header.subarray(68)));
	at("bench-date").textContent = `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
	let from = 0;
	const spans = FIELDS.map(([name, , size], i) => {
		from += size;
		const span = make("span", `f${i}`, hex(header.subarray(from - size, from)));
		span.title = say(`field_${name}`);
		return span;
	});
	at("bench-bytes").replaceChildren(...spans);
}

// The hash of the header as it stands, and what it is worth.
function show(except = null) {
	const search = new Search(header);
	search.meets(nonceOf(), new Uint32Array(8));
	const power = log2(search.hash);
	const number = BigInt(`0x${display(sha256d(header))}`);
	tried.add(nonceOf());
	if (!best || power < best[0]) best = [power, nonceOf()];
	spots.add(spot(power));
	showFields(except);
	at("bench-hash").textContent = hex256(number);
	const judged = number <= headerTarget() ? "block_met" : "block_missed";
	const lines = [say(headerTarget() ? judged : "no_target")];
	if (!ownTarget) lines.unshift(say(number <= target() ? "share_met" : "share_missed"));
	at("bench-verdict").textContent = lines.join(" ");
	at("bench-verdict").className = number <= target() ? "check" : "check bad";
	showTarget();
	drawLine(power);
	told();
	document.dispatchEvent(new Event("header"));
}

function go(nonce) {
	halt();
	write(76, 4, ((nonce % 2 ** 32) + 2 ** 32) % 2 ** 32);
	show();
}

function halt() {
	if (stop) stop();
	stop = null;
	at("bench-mine").textContent = say("mine");
	at("bench-mine").setAttribute("aria-pressed", "false");
	at("bench-verdict").setAttribute("aria-busy", "false");
}

// Tries a piece of the nonces from `nonce` on that were not tried yet; the nonce that won, the one
// to go on with, and how many were tried. null when all 4,294,967,296 have been tried.
function tryPiece(search, nonce, words) {
	const free = tried.free(nonce);
	if (!free) return null;
	const [from, many] = free;
	const end = from + Math.min(many, PIECE);
	let won = null;
	let next = from;
	while (next < end && won === null) {
		if (search.meets(next, words)) won = next;
		const power = log2(search.hash);
		spots.add(spot(power));
		if (!best || power < best[0]) best = [power, next];
		next += 1;
	}
	tried.add(from, next - from);
	since += next - from;
	return { won, next, count: next - from };
}

// Searches from the nonce after this one, in slices, until one wins or somebody says stop.
function mine() {
	if (stop) {
		halt();
		show();
		return;
	}
	const search = new Search(header);
	const words = wordsOf(target());
	const begun = performance.now();
	let [hashes, drawn, nonce] = [0, begun, nonceOf() + 1];
	at("bench-mine").textContent = say("stop");
	at("bench-mine").setAttribute("aria-pressed", "true");
	at("bench-verdict").setAttribute("aria-busy", "true"); // is read out when the search ends
	stop = inSlices(() => {
		const piece = tryPiece(search, nonce, words);
		if (!piece) {
			halt();
			at("bench-verdict").textContent = say("exhausted");
			return false;
		}
		hashes += piece.count;
		nonce = piece.next;
		if (piece.won !== null) {
			wins.push(since);
			since = 0;
			go(piece.won);
			return false;
		}
		if (performance.now() - drawn > REDRAW_MS) {
			drawn = performance.now();
			drawLine(log2(search.hash));
			told();
			at("bench-verdict").textContent = say("mining", { rate: si((1000 * hashes) / (drawn - begun), "H/s") });
		}
		return true;
	});
}

function take(raw, name = "") {
	header = raw;
	own = nonceOf();
	wins = [];
	forget();
	measureLine();
	show();
	at("bench-paste-told").textContent = name;
}

function paste() {
	guarded(at("bench-paste"), () => {
		const digits = hexDigits(at("bench-paste").value, 160);
		take(unhex(digits), say("pasted"));
	});
}

function edit(field, from, size, read) {
	guarded(field, () => {
		const value = read(field.value);
		const before = header;
		write(from, size, value);
		if (hex(before.subarray(0, 76)) !== hex(header.subarray(0, 76))) {
			forget();
			measureLine();
		}
		show(field);
	});
}

function retarget() {
	halt();
	chosenTarget = sliderTarget();
	wins = [];
	since = 0;
	measureLine();
	show();
}

export function start() {
	const headers = fact("headers");
	headers.forEach((one, i) => at("bench-choice").append(new Option(one.name, i)));
	at("bench-choice").addEventListener("change", () => take(unhex(headers[at("bench-choice").value].hex)));
	for (const [name, from, size, , read] of FIELDS) {
		const field = at(`bench-${name}`);
		field.addEventListener("input", () => edit(field, from, size, read));
		field.addEventListener("change", () => field.getAttribute("aria-invalid") === "true" || showFields());
	}
	at("bench-less").addEventListener("click", () => go(nonceOf() - 1));
	at("bench-more").addEventListener("click", () => go(nonceOf() + 1));
	at("bench-home").addEventListener("click", () => go(own));
	at("bench-mine").addEventListener("click", mine);
	at("bench-use").addEventListener("click", paste);
	at("bench-target").addEventListener("input", () => {
		ownTarget = false;
		retarget();
	});
	at("bench-own").addEventListener("click", () => {
		ownTarget = !ownTarget;
		retarget();
	});
	chosenTarget = sliderTarget();
	take(unhex(headers[0].hex));
}
