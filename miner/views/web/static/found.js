// A found block takes the whole page until it is dismissed; sounds only when switched on.

import { reward as pays } from "/block.js";
import { at, keep, say, show } from "/dom.js";
import { btc, count, day } from "/words.js";

const PRACTICE = 1; // below this difficulty a chain is a toy: its blocks come by the second

let best = null;
let back = null; // what had the focus
let loud = keep.get("sound") === "on";
let audio = null;

export function sounds(button) {
	const mark = () => button.setAttribute("aria-pressed", String(loud));
	button.addEventListener("click", () => {
		loud = !loud;
		keep.set("sound", loud ? "on" : "off");
		mark();
		if (loud) play([660]);
	});
	mark();
}

function play(notes) {
	if (!loud) return;
	try {
		audio ??= new AudioContext();
		notes.forEach((pitch, n) => {
			const tone = audio.createOscillator();
			const volume = audio.createGain();
			const from = audio.currentTime + 0.18 * n;
			tone.frequency.value = pitch;
			volume.gain.setValueAtTime(0.15, from);
			volume.gain.exponentialRampToValueAtTime(0.001, from + 0.3);
			tone.connect(volume).connect(audio.destination);
			tone.start(from);
			tone.stop(from + 0.3);
		});
	} catch { /* no sound here */ }
}

export function celebrate(now) {
	if (best !== null && now.shares.best_session > best && now.job && now.shares.found > 1) play([880]);
	best = now.shares.best_session ?? best;
	const last = now.blocks.last;
	if (!last || !at("found").hidden || last.hash === keep.get("block")) return;
	const toy = now.job && now.job.network_difficulty < PRACTICE;
	if (toy && keep.get("quiet") === String(now.run.started_at_s)) return;
	open(now, last, toy);
}

function open(now, last, toy) {
	const pool = now.sources.some((row) => row.name === last.source && row.kind === "pool");
	const taken = last.answer === "accepted";
	const height = last.height === undefined ? "" : ` ${count(last.height)}`;
	say(at("found-title"), taken ? "A block!" : "A block, not accepted");
	const fate = !taken ? `The answer to it: ${last.answer}.`
		: pool ? "The pool took the share. Whether the network takes the block shows when later work builds on it."
		: "The node accepted it.";
	const reward = last.height === undefined ? undefined : pays(last.height);
	const pay = reward === undefined ? "" : ` Its coinbase pays ${btc(reward)}.`;
	say(at("found-told"), `Block${height}, ${day(last.answered_at_s, now.time_s)}. ${fate}${pay}`);
	say(at("found-hash"), last.hash);
	say(at("found-more"), toy ? "This is a practice chain: its coins exist only here. When you go back, its further blocks are counted without this page." : "");
	back = document.activeElement;
	show(at("found"), true);
	document.body.classList.add("celebrates");
	at("found").dataset.run = toy ? now.run.started_at_s : "";
	at("found").dataset.hash = last.hash;
	at("dismiss").focus();
	play([523, 659, 784, 1047]);
}

export function dismissable() {
	const close = () => {
		const { hash, run } = at("found").dataset;
		keep.set("block", hash);
		if (run) keep.set("quiet", run);
		show(at("found"), false);
		document.body.classList.remove("celebrates");
		back?.focus?.();
	};
	at("dismiss").addEventListener("click", close);
	at("found").addEventListener("keydown", (event) => {
		if (event.key === "Escape") close();
		if (event.key === "Tab") event.preventDefault(); // one button alone
	});
}
