// The page by which a phone or browser joins the class: what is shown, and when it works.
import { both, language, many, number, say, sayAll, si, wait } from "/join-words.js";
import { Crew, cores } from "/crew.js";
import { Link, memory } from "/link.js";

const LOG = 8, TICK_MS = 1000;
const find = (id) => document.getElementById(id);
const text = (id, words) => { if (find(id).textContent !== words) find(id).textContent = words; };

const now = { entered: false, paused: false, lost: false, moved: false, removed: false, broken: "", told: null, work: null, best: "" };

const crew = new Crew({
	hit(unit, nonce) { link.share(unit, nonce, (one) => crew.unit !== null && crew.unit.job === one.job); },
	empty() { link.more(); },
	path(path, why) { text("note-path", say(why ? "path-js-why" : `path-${path}`, { why })); },
	broken(why) { now.broken = why; show(); },
});

const link = new Link({
	work(unit) {
		const header = Uint8Array.from(unit.header.match(/../g), (pair) => parseInt(pair, 16));
		now.work = unit;
		crew.give({ ...unit, header, next: 0 });
		show();
	},
	told(told) { now.told = told; show(); },
	found(block) { log(say(block.own ? "log-block" : "log-found", block), block.own ? "block" : "good"); },
	lost() { now.lost = true; show(); },
	back() { now.lost = false; log(say("log-back"), "good"); show(); },
	moved() { now.moved = true; show(); },
	removed() { now.removed = true; show(); },
	shut(answer) { now.entered = false; trouble(answer); show(); },
	judged(answer) {
		if (answer.answer === "accepted") {
			log(say("log-share", { difficulty: number(answer.difficulty, 3) }), "good");
			if (!now.best || answer.hash < now.best) now.best = answer.hash;
		} else {
			const key = `answer-${answer.status === 401 ? "unauthorized" : answer.answer}`;
			log(key in both[language] ? say(key) : say("answer-other", { why: answer.error }), "bad");
		}
		show();
	},
});

function log(words, kind) {
	const line = document.createElement("li");
	line.className = kind;
	line.textContent = `${new Date().toLocaleTimeString(language)}  ${words}`;
	find("log").prepend(line);
	while (find("log").childElementCount > LOG) find("log").lastElementChild.remove();
}

// The state as a word, and whether it is good; the first that holds.
function state() {
	const paused = now.told !== null && now.told.paused;
	const all = [
		[now.broken !== "", "broken", "bad"], [now.removed, "removed", "bad"], [now.moved, "moved", "warn"],
		[!now.entered, "stopped", ""], [now.lost, "lost", "bad"], [document.hidden, "hidden", "warn"],
		[now.paused, "paused", "warn"], [paused, "teacher", "warn"], [now.work === null, "waiting", "warn"],
	];
	const held = all.find(([holds]) => holds);
	return held ? held.slice(1) : ["mining", "good"];
}

function show() {
	const [word, kind] = state();
	crew.run(word === "mining");
	if (word !== "stopped" || find("own").hidden === false) text("state", say(`state-${word}`));
	find("state").className = kind;
	const inside = now.entered && !now.moved && !now.removed;
	find("enter").hidden = inside;
	for (const id of ["own", "work", "told", "notes"]) find(id).hidden = !now.entered;
	text("pause", say(now.paused ? "resume" : "pause"));
	text("who", link.name);
	if (now.broken) text("note-path", say("path-broken", { why: now.broken }));
	showRate();
	showTold();
	showWork();
}

function showRate() {
	const rate = crew.rate(performance.now()), workers = crew.count === 1 ? say("worker") : say("workers", { n: crew.count });
	text("rate", rate ? si(rate, "H/s") : "–");
	text("rate-told", say("rate-told", { workers }));
}

function showTold() {
	const told = now.told;
	if (told === null) return;
	for (const name of ["accepted", "refused", "blocks"]) text(name, told[name].toLocaleString(language));
	const best = [now.best, told.best].filter(Boolean).sort()[0];
	text("chain", told.words || say("chain-private", told));
	if (!best || best === find("best").textContent) return;
	const zeros = best.match(/^0*/)[0], left = document.createElement("b");
	left.textContent = zeros;
	find("best").textContent = "";
	find("best").append(left, best.slice(zeros.length));
	const bits = 4 * zeros.length + Math.clz32(parseInt(best[zeros.length] || "0", 16)) - 28;
	text("best-told", say("best-told", { bits, hashes: many(2 ** bits) }));
}

function showWork() {
	if (now.work === null) return;
	const hashes = now.work.hashes, rate = crew.rate(performance.now());
	text("work-told", say("work-told", { height: now.work.height, hashes: many(hashes), wait: rate ? wait(hashes / rate) : "–" }));
}

function trouble(answer) {
	const words = answer.status === 0 ? say("trouble-unreachable")
		: `trouble-${answer.word}` in both[language] ? say(`trouble-${answer.word}`, { why: answer.error })
			: say("trouble-other", { why: answer.error });
	text("trouble", words);
	find("trouble").hidden = false;
}

// ---- What the browser gives to some pages only: the screen kept on, and the battery.
let awake = null;

async function stayAwake() {
	try {
		if (awake === null || awake.released) awake = await navigator.wakeLock.request("screen");
		text("note-awake", say("awake"));
	} catch (_) { // none on pages without TLS, none at low battery
		text("note-awake", say("asleep"));
	}
}

async function watchBattery() {
	text("note-battery", say("battery"));
	if (!navigator.getBattery) return;
	const battery = await navigator.getBattery();
	const tell = () => text("note-battery", battery.charging ? say("battery") : say("battery-level", { percent: Math.round(100 * battery.level) }));
	battery.addEventListener("levelchange", tell);
	battery.addEventListener("chargingchange", tell);
	tell();
}

function device() {
	const known = /iPhone|iPad|Android|Windows|Macintosh|CrOS|Linux/.exec(navigator.userAgent);
	return known ? known[0] : "";
}

find("enter").addEventListener("submit", async (event) => {
	event.preventDefault();
	find("start").disabled = true;
	find("trouble").hidden = true;
	text("state", say("state-connecting"));
	const answer = await link.enter(find("name").value, device());
	find("start").disabled = false;
	text("state", "");
	if (answer.status !== 200) return trouble(answer);
	if (!crew.count) crew.open(cores(), answer.wasm);
	Object.assign(now, { entered: true, lost: false, moved: false, removed: false, paused: false });
	log(say("log-entered", { name: answer.name }), "good");
	stayAwake();
	show();
});

find("duty").addEventListener("input", () => {
	crew.duty = Number(find("duty").value) / 100;
	memory.set("duty", find("duty").value);
	text("duty-told", `${find("duty").value} %`);
});
find("pause").addEventListener("click", () => { now.paused = !now.paused; show(); });
find("stop").addEventListener("click", () => {
	link.close();
	if (awake) awake.release();
	Object.assign(now, { entered: false, work: null });
	crew.give(null);
	show();
});
document.addEventListener("visibilitychange", () => {
	if (!document.hidden && now.entered) stayAwake();
	show();
});

sayAll();
find("name").value = memory.get("name");
find("duty").value = memory.get("duty") || "100";
find("duty").dispatchEvent(new Event("input"));
text("pause", say("pause"));
watchBattery();
setInterval(() => { if (now.entered) show(); }, TICK_MS);
