// The rule that keeps time: one adjustment by hand, and twelve periods simulated block by block.

import { at, guarded } from "./draw.js";
import { DIFFICULTY_1, LARGEST, PERIOD_S, Wrong, decimal, hex256, hexDigits, nbitsFromTarget, nextTarget, targetFromNbits } from "./numbers.js";
import { count, say, short, span } from "./words.js";

const BLOCKS = 2016;
const PERIODS = 12;
const COMES = 2; // the period in which the hashrate changes
const GOES = 8; // and that in which it is as before
const STEADY = 1e15; // hashes a second; any figure above difficulty 1 gives the same picture
const MOST_S = 10n ** 9n;
let luck = 1;

function adjust() {
	guarded(at("retarget-nbits"), () => {
		const old = targetFromNbits(parseInt(hexDigits(at("retarget-nbits").value, 8), 16));
		guarded(at("retarget-span"), () => {
			const text = at("retarget-span").value.replace(/[\s_]/g, "");
			if (!/^[0-9]{1,20}$/.test(text)) throw new Wrong(say("no_number", { value: text.slice(0, 24) }));
			const seconds = BigInt(text) > MOST_S ? MOST_S : BigInt(text);
			tellAdjusted(old, seconds);
		});
	});
}

function tellAdjusted(old, seconds) {
	const next = nextTarget(old, seconds, DIFFICULTY_1);
	const easiest = nextTarget(old, seconds, LARGEST) > DIFFICULTY_1;
	const clamped = seconds < PERIOD_S / 4n || seconds > PERIOD_S * 4n;
	const lines = [
		say("adjusted", { nbits: nbitsFromTarget(next).toString(16).padStart(8, "0"), factor: short(Number(decimal(old, next, 8).text)), span: span(Number(seconds)) }),
		...(clamped ? [say("clamped")] : []), ...(easiest ? [say("easiest")] : []),
	];
	at("retarget-told").textContent = lines.join(" ");
	at("retarget-target").textContent = hex256(next);
}

// Numbers in [0, 1) that a seed repeats (mulberry32).
function random(seed) {
	let state = seed | 0;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

// Mean wait for a block in each period: 2016 exponential waits, the first 2015 of which count.
export function simulate(jump, most, seed) {
	const next = random(seed);
	let target = nextTarget((LARGEST + 1n) / BigInt(STEADY * 600), PERIOD_S, DIFFICULTY_1);
	return Array.from({ length: PERIODS }, (_, period) => {
		const rate = STEADY * (period >= COMES && period < GOES ? jump : 1);
		const mean = Number((LARGEST + 1n) / (target + 1n)) / rate;
		let seconds = 0;
		for (let block = 1; block < BLOCKS; block++) seconds -= mean * Math.log(1 - next());
		const wait = (seconds - mean * Math.log(1 - next())) / BLOCKS;
		target = nextTarget(target, BigInt(Math.round(seconds)), DIFFICULTY_1, BigInt(most));
		return { rate, wait };
	});
}

function play() {
	const jump = 10 ** (Number(at("retarget-jump").value) / 10);
	at("retarget-jump-value").textContent = say("jump", { times: short(jump) });
	at("retarget-jump").setAttribute("aria-valuetext", say("jump", { times: short(jump) }));
	const periods = simulate(jump, Number(at("retarget-most").value), luck);
	const longest = Math.max(...periods.map((one) => Math.log10(one.wait)), 3) + 0.2;
	const place = (wait) => (260 * Math.max(Math.log10(wait), 0)) / longest;
	const rows = periods.map((one, i) => {
		const y = 40 * i;
		const name = say("period", { number: i + 1, times: short(one.rate / STEADY) });
		return `<text x="0" y="${y + 15}">${name}</text><path class="line" d="M0 ${y + 27}h${place(one.wait).toFixed(1)}"/><circle class="bar" cx="${Math.max(place(one.wait), 6).toFixed(1)}" cy="${y + 27}" r="6"/><path class="theory" d="M${place(600).toFixed(1)} ${y + 17}v20"/><text x="268" y="${y + 32}">${span(one.wait)}</text>`;
	});
	at("retarget-bars").innerHTML = rows.join("");
	at("retarget-bars").setAttribute("aria-label", periods.map((one, i) => `${say("period", { number: i + 1, times: short(one.rate / STEADY) })}: ${span(one.wait)}`).join(", "));
	at("retarget-luck-value").textContent = say("luck", { number: count(luck) });
}

export function start() {
	for (const name of ["retarget-nbits", "retarget-span"]) at(name).addEventListener("input", adjust);
	for (const name of ["retarget-jump", "retarget-most"]) at(name).addEventListener("input", play);
	at("retarget-luck").addEventListener("click", () => {
		luck += 1;
		play();
	});
	adjust();
	play();
}
