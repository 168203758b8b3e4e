// How many hashes a second this browser does, beside machines that people built for it.

import { at } from "./draw.js";
import { Search } from "./search.js";
import { count, fact, say, short, si, span } from "./words.js";

const TURNS = 5;
const TURN_MS = 400;
const WARM_MS = 300; // until the browser has compiled the rounds
const PIECE = 2000; // hashes between two looks at the clock
const YEAR_S = 31557600;

// Hashes for so many milliseconds; hashes a second. No nonce is tried twice in one measurement.
function timed(search, milliseconds) {
	const begun = performance.now();
	const never = new Uint32Array(8);
	const first = search.next || 0;
	let nonce = first;
	while (performance.now() - begun < milliseconds) for (const end = nonce + PIECE; nonce < end; nonce++) search.meets(nonce, never);
	search.next = nonce;
	return (1000 * (nonce - first)) / (performance.now() - begun);
}

// The worker's part: a first turn that is not counted, then the turns one by one.
export function work() {
	const search = new Search(new Uint8Array(80));
	timed(search, WARM_MS);
	for (let turn = 0; turn < TURNS; turn++) postMessage(timed(search, TURN_MS));
}

// The same in slices, for a browser that gives a page from a file no worker.
async function inPieces(tell) {
	const search = new Search(new Uint8Array(80));
	const pause = () => new Promise((done) => setTimeout(done, 5));
	for (let piece = 0; piece < WARM_MS / 20; piece++) {
		timed(search, 20);
		await pause();
	}
	for (let turn = 0; turn < TURNS; turn++) {
		const rates = [];
		for (let piece = 0; piece < TURN_MS / 20; piece++) {
			rates.push(timed(search, 20));
			await pause();
		}
		tell(rates.reduce((sum, one) => sum + one, 0) / rates.length);
	}
}

function inWorker(tell) {
	return new Promise((done, failed) => {
		const address = URL.createObjectURL(new Blob([at("script").textContent], { type: "text/javascript" }));
		const worker = new Worker(address);
		let turns = 0;
		const end = (after, value) => {
			worker.terminate();
			URL.revokeObjectURL(address);
			after(value);
		};
		worker.onmessage = ({ data }) => {
			tell(data);
			turns += 1;
			if (turns === TURNS) end(done);
		};
		worker.onerror = (event) => end(failed, event);
		worker.postMessage("measure");
	});
}

// One logarithmic line; every mark's name stands below it on a line of its own.
function drawAxis(marks) {
	const low = -6;
	const high = 21;
	const place = (rate) => 22 + (356 * (Math.log10(rate) - low)) / (high - low);
	const parts = ['<path class="line" d="M22 20h356"/>'];
	for (let power = low; power <= high; power += 9) {
		parts.push(`<path class="line" d="M${place(10 ** power).toFixed(1)} 20v8"/><text class="tick" x="${place(10 ** power).toFixed(1)}" y="42" text-anchor="middle">10<tspan dy="-4" font-size="12">${power}</tspan></text>`);
	}
	const sorted = [...marks].sort((one, two) => two.rate - one.rate);
	const labels = [];
	for (const [row, mark] of sorted.entries()) {
		const x = place(mark.rate);
		const y = 68 + 21 * row;
		const text = `${mark.name}: ${si(mark.rate, "H/s")}`;
		parts.push(`<path class="leader" d="M${x.toFixed(1)} 28V${y - 12}"/>`);
		parts.push(mark.own ? `<rect class="own" x="${(x - 6).toFixed(1)}" y="14" width="12" height="12"/>` : `<circle class="fixed" cx="${x.toFixed(1)}" cy="20" r="5"/>`);
		labels.push(`<text class="label ${mark.own ? "own" : ""}" x="${Math.max(Math.min(x + 6, 400 - 7.6 * text.length), 0).toFixed(1)}" y="${y}">${text}</text>`);
	}
	const svg = at("speed-axis");
	svg.setAttribute("viewBox", `0 0 400 ${76 + 21 * sorted.length}`);
	svg.innerHTML = [...parts, ...labels].join("");
	svg.setAttribute("aria-label", sorted.map((mark) => `${mark.name} ${si(mark.rate, "H/s")}`).join(", "));
}

function tellRate(rates) {
	const sorted = [...rates].sort((one, two) => one - two);
	const rate = sorted[sorted.length >> 1];
	const { difficulty, date, asic } = fact("network");
	const block = (difficulty * 2 ** 32) / rate; // seconds
	const chance = -Math.expm1(-YEAR_S / block);
	at("speed-told").textContent = [
		say("speed_is", { count: count(Number(rate.toPrecision(3))), low: si(sorted[0], "H/s"), high: si(sorted.at(-1), "H/s"), turns: rates.length }),
		say("speed_block", { span: span(block), difficulty: short(difficulty), date, chance: short(chance) }),
		say("speed_asic", { name: asic.name, times: short(asic.rate / rate) }),
	].join(" ");
	drawAxis([...fact("machines"), { name: say("this_browser"), rate, own: true }]);
}

async function measure() {
	const rates = [];
	const tell = (rate) => {
		rates.push(rate);
		at("speed-told").textContent = say("speed_turn", { turn: rates.length, turns: TURNS, rate: si(rate, "H/s") });
	};
	at("speed-start").disabled = true;
	at("speed-told").textContent = say("speed_wait");
	try {
		await inWorker(tell);
	} catch {
		rates.length = 0;
		await inPieces(tell);
	}
	tellRate(rates);
	at("speed-start").disabled = false;
}

export function start() {
	drawAxis(fact("machines"));
	at("speed-start").addEventListener("click", measure);
}
