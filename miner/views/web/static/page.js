// The miner's page: takes the newest status each second and shows it; asks for the rest as needed.

import { at, keep, say, show } from "/dom.js";
import * as cards from "/cards.js";
import { block, roll } from "/block.js";
import { LuckChart, Past, RateChart, ShareChart, Shares } from "/charts.js";
import { celebrate, dismissable, sounds } from "/found.js";
import { check, dialogs, report } from "/report.js";
import { ask, follow } from "/wire.js";
import { duration } from "/words.js";

const past = new Past();
const shares = new Shares();
const pictures = { rate: new RateChart(at("rate-chart")), shares: new ShareChart(at("shares-chart")), luck: new LuckChart(at("luck-chart")) };
const tariff = { price: null, currency: "EUR" };
let now = null; // the newest status
let machine = null;
let best = [];
let wanted = "1 min";
let gone = false;
let run = null; // which run the shares are of
const due = { history: 0, shares: 0, block: 0 };
const seen = { found: -1, job: "", open: 0 };
const busy = {};

async function fresh(name, path, take) {
	if (busy[name]) return;
	busy[name] = true;
	try {
		const told = await ask(path);
		if (told) take(told);
	} finally {
		busy[name] = false;
	}
}

function take(status) {
	now = status;
	if (now.machine) machine = now.machine;
	if (run !== now.run.started_at_s) restart();
	if (gone) back();
	show(at("first"), false);
	show(at("cards"), true);
	head();
	cards.speed(now, wanted);
	cards.benchmark(now);
	cards.shares(now);
	cards.luck(now);
	cards.odds(now);
	cards.sources(now);
	cards.devices(now, tariff);
	cards.alarms(now);
	cards.foot(now, machine);
	celebrate(now);
	more();
}

function restart() {
	run = now.run.started_at_s;
	shares.clear();
	best = [];
	Object.assign(due, { history: 0, shares: 0, block: 0 });
	Object.assign(seen, { found: -1, job: "", open: 0 });
}

function head() {
	const { word, reason, ok } = now.health;
	say(at("word"), word);
	say(at("reason"), reason);
	at("health").className = ok ? (word === "mining" ? "good" : "warn") : "bad";
	const rate = at("rate").textContent;
	document.title = `${word === "mining" ? rate : word} · homehash`;
}

// What is not in the stream: history every 5 s, shares and the block when they changed.
function more() {
	const at_ = Date.now();
	if (at_ >= due.history) {
		due.history = at_ + 5000;
		fresh("history", `/api/v1/history?since=${past.newest}`, (told) => {
			past.add(told);
			drawRate();
		});
	}
	const open = now.shares.pending;
	if (at_ >= due.shares && (now.shares.found !== seen.found || open !== seen.open)) {
		due.shares = at_ + 2000;
		const found = now.shares.found;
		fresh("shares", `/api/v1/shares?since=${shares.since}`, (told) => {
			Object.assign(seen, { found, open });
			shares.add(told.recent);
			best = told.best;
			drawShares();
		});
	} else if (at_ >= due.shares) {
		due.shares = at_ + 2000;
		drawShares();
	}
	const job = now.job ? `${now.job.source} ${now.job.job_id} ${now.job.jobs}` : "none";
	const moved = roll(now.job);
	if (job !== seen.job || (moved && at_ >= due.block) || at_ >= due.block + 10000) {
		due.block = at_ + 5000;
		fresh("block", "/api/v1/block", (told) => {
			seen.job = job;
			block(told);
		});
	}
}

function drawRate() {
	if (now) pictures.rate.draw(past, now.time_s, now.run.paced ? null : now.run.rate_benchmark_hs);
}

function drawShares() {
	pictures.shares.draw(shares, now.job, now.time_s);
	pictures.luck.draw(shares.list, now.luck);
	cards.best(best, now, check);
}

function silent(seconds) {
	gone = true;
	document.body.classList.add("gone");
	show(at("gone"), true);
	say(at("gone"), `The miner has not answered for ${duration(Math.floor(seconds))}. These are its last numbers; this page goes on asking.`);
	say(at("word"), "no answer");
	say(at("reason"), "is it stopped, or the network down?");
	at("health").className = "bad";
	document.title = "no answer · homehash";
}

function back() {
	gone = false;
	document.body.classList.remove("gone");
	show(at("gone"), false);
	due.history = 0;
}

function theme() {
	const names = ["auto", "light", "dark"];
	const set = (name) => {
		keep.set("theme", name);
		if (name === "auto") delete document.documentElement.dataset.theme;
		else document.documentElement.dataset.theme = name;
		say(at("theme"), `Theme: ${name}`);
		for (const picture of Object.values(pictures)) picture.picture.recolour();
	};
	at("theme").addEventListener("click", () => set(names[(names.indexOf(keep.get("theme", "auto")) + 1) % 3]));
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => set(keep.get("theme", "auto")));
	set(keep.get("theme", "auto"));
}

function privacy() {
	const set = (on) => {
		keep.set("privacy", on ? "on" : "off");
		document.body.classList.toggle("private", on);
		at("privacy").setAttribute("aria-pressed", String(on));
	};
	at("privacy").addEventListener("click", () => set(keep.get("privacy") !== "on"));
	set(keep.get("privacy") === "on");
}

function prices() {
	const read = () => {
		const price = Number(at("tariff").value.replace(",", "."));
		tariff.price = at("tariff").value.trim() && price >= 0 ? price : null;
		tariff.currency = at("currency").value.trim() || "EUR";
		keep.set("tariff", at("tariff").value);
		keep.set("currency", at("currency").value);
		if (now) cards.devices(now, tariff);
	};
	at("tariff").value = keep.get("tariff");
	at("currency").value = keep.get("currency", "EUR");
	for (const name of ["tariff", "currency"]) at(name).addEventListener("input", read);
	read();
}

function folds() {
	for (const card of document.querySelectorAll(".card")) {
		const title = card.querySelector("h2");
		const button = document.createElement("button");
		button.className = "fold";
		const set = (shut) => {
			card.classList.toggle("shut", shut);
			button.setAttribute("aria-expanded", String(!shut));
			button.textContent = shut ? "show" : "hide";
			button.setAttribute("aria-label", `${button.textContent} ${title.textContent}`);
			keep.set(card.id, shut ? "shut" : "");
		};
		button.addEventListener("click", () => set(!card.classList.contains("shut")));
		title.after(button);
		set(keep.get(card.id) === "shut");
	}
}

theme();
privacy();
prices();
folds();
dialogs();
dismissable();
sounds(at("sound"));
cards.choice(at("windows"), "window", cards.windows, wanted, (value) => {
	wanted = value;
	if (now) cards.speed(now, wanted);
});
cards.choice(at("spans"), "span", [["10 min", 600], ["1 h", 3600], ["24 h", 86400]], "600", (value) => {
	pictures.rate.span = Number(value);
	drawRate();
});
at("report").addEventListener("click", () => now && report(now, machine, gone));
show(at("tools"), true);
follow({ stream: "/api/v1/events", status: "/api/v1/status", take, silent, woken: () => Object.assign(due, { history: 0, shares: 0, block: 0 }) });
ask("/api/v1/status").then((told) => told && take(told)); // the machine is in no event
