// The rounds of SHA-256: opened, so that each number can be computed again by hand, and played.

import { bytesOfHeader } from "./bench.js";
import { at, calm, wordRows } from "./draw.js";
import { K, START, bigSigma0, bigSigma1, ch, chunks, compress, maj, rotr, sha256, smallSigma0, smallSigma1, toBytes, word } from "./sha256.js";
import { bytesOfText } from "./text.js";
import { say } from "./words.js";

const PLAYED_MS = 500;
const CALM_MS = 2000; // between two rounds where somebody wants little motion
const MOST_CHUNKS = 16; // of a text, in the list

let compressions = []; // { name, state, words }
let rounds = []; // of the chosen one
let playing = 0;

// The compressions of a message; `name` says which chunk of it.
function cut(bytes, name) {
	const state = START.slice();
	const read = bytes.subarray(0, 64 * MOST_CHUNKS); // more would only be padded and left out
	return chunks(read).slice(0, MOST_CHUNKS).map((words, i) => {
		const one = { name: name(i + 1), state: state.slice(), words };
		compress(state, words, state);
		return one;
	});
}

function collect() {
	const kept = at("rounds-choice").selectedIndex;
	const header = bytesOfHeader();
	compressions = [
		...cut(bytesOfText(), (i) => say("text_chunk", { i })),
		...cut(header, (i) => say("header_chunk", { i })),
		...cut(sha256(header), () => say("second_hash")),
	];
	at("rounds-choice").replaceChildren(...compressions.map((one, i) => new Option(one.name, i)));
	at("rounds-choice").selectedIndex = Math.min(Math.max(kept, 0), compressions.length - 1);
	choose();
}

function choose() {
	const { state, words } = compressions[at("rounds-choice").selectedIndex];
	rounds = [];
	compress(state, words, new Int32Array(8), rounds);
	show();
}

const rotated = (value, places) => places.map((n) => [say("rotated", { n }), rotr(value, n)]);
const equals = (name) => `= ${name}`;

function sigma(name, letter, value, places, joined, shift = 0) {
	const rows = [[letter, value], ...rotated(value, places)];
	if (shift) rows.push([say("shifted", { n: shift }), value >>> shift]);
	return [...rows, [equals(name), joined, 0, say("exclusive_or")]];
}

function showT1({ t, schedule, t1, before }) {
	const [, , , , e, f, g, h] = before;
	wordRows(at("rounds-sigma1"), sigma("Sigma1", "e", e, [6, 11, 25], bigSigma1(e)));
	wordRows(at("rounds-ch"), [["e", e], ["f", f], ["g", g], [equals("Ch"), ch(e, f, g), 0, say("choose")]]);
	wordRows(at("rounds-t1"), [
		["h", h], ["Sigma1", bigSigma1(e)], ["Ch", ch(e, f, g)], [`K[${t}]`, K[t]], [`W[${t}]`, schedule[t]],
		[equals("T1"), t1, 0, say("added")],
	]);
}

function showT2({ t1, t2, before, after }) {
	const [a, b, c, d] = before;
	wordRows(at("rounds-sigma0"), sigma("Sigma0", "a", a, [2, 13, 22], bigSigma0(a)));
	wordRows(at("rounds-maj"), [["a", a], ["b", b], ["c", c], [equals("Maj"), maj(a, b, c), 0, say("majority")]]);
	wordRows(at("rounds-t2"), [["Sigma0", bigSigma0(a)], ["Maj", maj(a, b, c)], [equals("T2"), t2, 0, say("added")]]);
	wordRows(at("rounds-new"), [["T1", t1], ["T2", t2], [equals(say("new_a")), after[0], 0, say("added")], ["d", d], ["T1", t1], [equals(say("new_e")), after[4], 0, say("added")]]);
}

function showW({ t, schedule }) {
	at("rounds-w-given").textContent = t < 16 ? say("w_given", { t }) : say("w_mixed", { t, a: t - 2, b: t - 7, c: t - 15, d: t - 16 });
	for (const id of ["rounds-s0", "rounds-s1", "rounds-w"]) at(id).hidden = t < 16;
	if (t < 16) return;
	const [x, y] = [schedule[t - 15], schedule[t - 2]];
	wordRows(at("rounds-s1"), sigma("sigma1", `W[${t - 2}]`, y, [17, 19], smallSigma1(y), 10));
	wordRows(at("rounds-s0"), sigma("sigma0", `W[${t - 15}]`, x, [7, 18], smallSigma0(x), 3));
	wordRows(at("rounds-w"), [
		["sigma1", smallSigma1(y)], [`W[${t - 7}]`, schedule[t - 7]], ["sigma0", smallSigma0(x)], [`W[${t - 16}]`, schedule[t - 16]],
		[equals(`W[${t}]`), schedule[t], 0, say("added")],
	]);
}

// What the last round leaves: the old state is added to it.
function showEnd(last) {
	at("rounds-end").hidden = last.t !== 63;
	if (last.t !== 63) return;
	const { name, state } = compressions[at("rounds-choice").selectedIndex];
	const sum = state.map((value, i) => value + last.after[i]);
	at("rounds-end").textContent = say("round_end", { name, state: Array.from(toBytes(sum), (byte) => byte.toString(16).padStart(2, "0")).join("") });
}

function show() {
	const now = rounds[Number(at("rounds-slider").value)];
	at("rounds-value").textContent = say("round_of", { t: now.t });
	at("rounds-slider").setAttribute("aria-valuetext", say("round_of", { t: now.t }));
	wordRows(at("rounds-state"), Array.from("abcdefgh", (letter, i) => [letter, now.after[i], now.after[i] ^ now.before[i], say("was", { value: word(now.before[i]) })]));
	showT1(now);
	showT2(now);
	showW(now);
	showEnd(now);
}

function pause() {
	clearInterval(playing);
	playing = 0;
	at("rounds-play").textContent = say("play");
	at("rounds-play").setAttribute("aria-pressed", "false");
}

function step(by) {
	const slider = at("rounds-slider");
	const place = Number(slider.value) + by;
	if (place > 63 || place < 0) pause();
	else slider.value = place;
	show();
}

function play() {
	if (playing) {
		pause();
		return;
	}
	if (at("rounds-slider").value === "63") at("rounds-slider").value = 0;
	playing = setInterval(() => step(1), calm() ? CALM_MS : PLAYED_MS);
	at("rounds-play").textContent = say("pause");
	at("rounds-play").setAttribute("aria-pressed", "true");
	show();
}

export function start() {
	at("rounds-choice").addEventListener("change", choose);
	at("rounds-slider").addEventListener("input", () => {
		pause();
		show();
	});
	at("rounds-back").addEventListener("click", () => {
		pause();
		step(-1);
	});
	at("rounds-next").addEventListener("click", () => {
		pause();
		step(1);
	});
	at("rounds-play").addEventListener("click", play);
	document.addEventListener("header", collect);
	if (at("text-in")) at("text-in").addEventListener("input", collect);
	collect();
}
