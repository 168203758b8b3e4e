// Many miners on one page: sorted as it was left, filtered, offline ones with when they were seen.

import { at, cells, el, keep, rows, say, show } from "/dom.js";
import { count, day, duration, known, rate, si } from "/words.js";
import { ask } from "/wire.js";

const POLL = 5000;
const STATES = { mining: "is-good", paused: "is-idle", "not mining": "is-idle", asking: "", offline: "is-away" };
const COLUMNS = [
	["miner", (m) => m.label.toLowerCase(), (m) => (m.seen === "its pool" ? `${m.label} (by its pool)` : m.label)],
	["state", (m) => m.state, (m) => (m.state === "offline" && m.last_seen_s !== null ? `offline since ${day(m.last_seen_s, now.time_s)}` : m.state)],
	["10 s", (m) => m.rate_10s_hs, (m) => rate(m.rate_10s_hs)],
	["last hour", (m) => m.rate_hs, null],
	["1 min", (m) => m.rate_1min_hs, (m) => rate(m.rate_1min_hs)],
	["1 h", (m) => m.rate_1h_hs, (m) => rate(m.rate_1h_hs)],
	["best", (m) => m.best_ever ?? m.best_session, (m) => si(m.best_ever ?? m.best_session)],
	["temp.", (m) => m.temperature_c, (m) => (known(m.temperature_c) ? `${m.temperature_c.toFixed(0)} °C` : "–")],
	["power", (m) => m.power_w, (m) => (known(m.power_w) ? `${m.power_w.toFixed(1)} W` : "–")],
	["accepted", (m) => m.accepted, (m) => count(m.accepted)],
	["rejected", (m) => lost(m), (m) => count(lost(m))],
	["up", (m) => m.uptime_s, (m) => duration(m.uptime_s)],
	["kind", (m) => m.kind, (m) => m.kind],
	["pool", (m) => m.pool, (m) => m.pool ?? "–"],
	["seen", (m) => m.last_seen_s, seen],
];
const WORDS = new Set(["state", "kind", "pool", "seen"]);
const SECRET = new Set(["miner", "pool", "seen"]);

let now = null;
let past = {};
let heard = Date.now();
let [sorted, down] = keep.get("board.sort", "miner up").split(/ (?=up|down)/);
down = down === "down";

const lost = (m) => (known(m.rejected) || known(m.stale) ? (m.rejected ?? 0) + (m.stale ?? 0) : null);

function seen(m) {
	if (m.last_seen_s === null) return m.why ? `never: ${m.why}` : "never";
	return m.state === "offline" ? `${day(m.last_seen_s, now.time_s)}: ${m.why}` : "now";
}

// Unknown values come last whichever way it is sorted.
function order(one, two) {
	const value = COLUMNS.find(([name]) => name === sorted)[1];
	const [a, b] = [value(one), value(two)];
	if (a === b) return one.label < two.label ? -1 : 1;
	if (a === null || a === undefined) return 1;
	if (b === null || b === undefined) return -1;
	return (a < b ? -1 : 1) * (down ? -1 : 1);
}

function heads() {
	rows(at("miners").tHead.rows[0], COLUMNS, ([name]) => name, ([name]) => {
		const button = el("button", "small", name);
		button.addEventListener("click", () => {
			down = sorted === name ? !down : false;
			sorted = name;
			keep.set("board.sort", `${sorted} ${down ? "down" : "up"}`);
			draw();
		});
		return el("th", WORDS.has(name) ? "words" : "", null, button);
	}, (head, [name]) => {
		if (name === sorted) head.setAttribute("aria-sort", down ? "descending" : "ascending");
		else head.removeAttribute("aria-sort");
	});
}

function line() {
	const look = (name) => [SECRET.has(name) && "secret", WORDS.has(name) && "words", name === "last hour" && "spark", name === "seen" && "long"].filter(Boolean).join(" ");
	return el("tr", "", null, ...COLUMNS.map(([name]) => el(name === "miner" ? "th" : "td", look(name))));
}

function draw() {
	if (!now) return;
	heads();
	const words = at("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
	const fits = (m) => words.every((word) => `${m.label} ${m.kind} ${m.state} ${m.model ?? ""} ${m.pool ?? ""}`.toLowerCase().includes(word));
	rows(at("miners").tBodies[0], now.miners.filter(fits).sort(order), (m) => m.label, line, (tr, m) => {
		tr.className = STATES[m.state];
		COLUMNS.forEach(([, , text], place) => {
			if (text) say(tr.children[place], text(m));
			else spark(tr.children[place], past[m.label] || []);
		});
		tr.firstChild.title = [m.model, m.address].filter(Boolean).join(", ");
	});
	const ranked = now.miners.filter((m) => known(m.best_ever ?? m.best_session)).sort((one, two) => (two.best_ever ?? two.best_session) - (one.best_ever ?? one.best_session)).slice(0, 20);
	rows(at("best").tBodies[0], ranked, (m) => m.label, () => el("tr", "", null, el("td"), el("td", "secret words"), el("td"), el("td")), (tr, m, place) => cells(tr, [String(place + 1), m.label, si(m.best_ever), si(m.best_session)]));
}

// The last hour as a line; gaps where it was silent.
function spark(cell, told) {
	const key = told.length ? told[told.length - 1][0] : 0;
	if (cell.dataset.at === String(key)) return;
	cell.dataset.at = key;
	const name = "http://www.w3.org/2000/svg";
	const picture = document.createElementNS(name, "svg");
	const path = document.createElementNS(name, "path");
	const top = Math.max(...told.map((row) => row[1] ?? 0), 1e-9);
	let before = null;
	path.setAttribute("d", told.filter((row) => row[1] !== null).map(([time, value]) => {
		const x = 100 + (time - now.time_s) / 36;
		const move = before === null || time - before > 90 ? "M" : "L";
		before = time;
		return `${move}${x.toFixed(1)} ${(19 - (18 * value) / top).toFixed(1)}`;
	}).join(""));
	picture.setAttribute("viewBox", "0 0 100 20");
	picture.setAttribute("role", "img");
	picture.setAttribute("aria-label", `Rate of the last hour, at most ${rate(top)}`);
	picture.append(path);
	cell.replaceChildren(picture);
}

function together() {
	const sum = now.totals;
	const of = (part) => `${part.known} of ${part.of} tell`;
	say(at("word"), `${sum.online} of ${sum.miners} online`);
	at("health").className = sum.online === sum.miners ? "good" : sum.online ? "warn" : "bad";
	const away = now.miners.filter((m) => m.state === "offline").length;
	say(at("reason"), away ? `${away} offline` : "");
	say(at("rate"), sum.rate_hs.known ? rate(sum.rate_hs.total) : "–");
	say(at("rate-of"), of(sum.rate_hs));
	const parts = [`${count(sum.accepted.total)} shares accepted (${of(sum.accepted)})`, `${count(sum.rejected.total)} rejected (${of(sum.rejected)})`];
	parts.push(sum.power_w.known ? `${sum.power_w.total.toFixed(0)} W (${of(sum.power_w)})` : "nobody tells its power");
	if (known(sum.best)) parts.push(`best difficulty ${si(sum.best)}`);
	say(at("together"), parts.join(", "));
	say(at("pools"), sum.pool_workers ? `By their pools: ${rate(sum.pool_rate_hs.total)} (${of(sum.pool_rate_hs)}), estimated from shares and not added to the above.` : "");
	document.title = `${at("rate").textContent} · homehash board`;
}

async function look() {
	if (document.hidden) return;
	const told = await ask("/api/v1/board");
	if (!told) {
		const quiet = (Date.now() - heard) / 1000;
		show(at("gone"), quiet > 12);
		document.body.classList.toggle("gone", quiet > 12);
		say(at("gone"), `The board has not answered for ${duration(Math.floor(quiet))}. These are its last numbers; this page goes on asking.`);
		return;
	}
	heard = Date.now();
	show(at("gone"), false);
	document.body.classList.remove("gone");
	now = told;
	const trace = await ask("/api/v1/board/history");
	if (trace) past = trace.miners;
	show(at("first"), false);
	show(at("cards"), true);
	together();
	draw();
}

function privacy(on) {
	keep.set("privacy", on ? "on" : "off");
	document.body.classList.toggle("private", on);
	at("privacy").setAttribute("aria-pressed", String(on));
}

at("privacy").addEventListener("click", () => privacy(keep.get("privacy") !== "on"));
at("filter").addEventListener("input", draw);
document.addEventListener("visibilitychange", look);
if (!COLUMNS.some(([name]) => name === sorted)) sorted = "miner";
privacy(keep.get("privacy") === "on");
show(at("tools"), true);
setInterval(look, POLL);
look();
