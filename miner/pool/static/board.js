// The class's board. One stream tells all there is once a second; this page only draws it.

import { at, el, keep, rows, say, show } from "/dom.js";
import { follow } from "/wire.js";
import { attack, attackTold, bars, colour, income, line, waits } from "./board-charts.js";
import { decimal, lang, many, number, part, rate, sigma, si, span, speak, speakPage, t } from "./board-words.js";
import { save } from "./board-save.js";

const PAGE_S = 8; // a page of a long list stays so long
const CARDS = ["chain", "who", "bars", "income", "waits", "attack", "line", "best", "join", "beside"];
const DRAWN = { bars, income, waits, attack };
const THEMES = ["auto", "light", "dark"];
const wide = window.matchMedia("(min-width: 901px)");

let doc = null;
let seen = 0; // moment of the newest share that was drawn
let mine = ""; // the card that this board's own user made large
let asked = ""; // the card that the teacher's desk made large

const letter = () => parseFloat(getComputedStyle(document.documentElement).fontSize) * (document.body.dataset.focus ? 1.6 : 0.85);

function size(place) {
	return { w: Math.max(place.clientWidth, 200), h: Math.max(place.clientHeight, 50), em: letter() };
}

function draw(name) {
	const place = at(name);
	if (!place.offsetParent) return;
	const drawn = name === "line" ? line(size(place), doc, seen) : DRAWN[name](size(place), doc);
	place.replaceChildren(drawn);
}

function top() {
	const { chain, total } = doc;
	say(at("height"), number(chain.height));
	say(at("tip-age"), chain.tip_age_s === null ? "" : span(Math.floor(chain.tip_age_s)));
	say(at("tip-told"), chain.tip_age_s === null ? t("tip-none") : t("tip-told"));
	say(at("tip-hash"), chain.tip_hash);
	say(at("mode"), t(`mode-${doc.mode}`));
	say(at("mode-told"), chain.private ? t(`told-${doc.mode}`) : chain.words);
	say(at("paused"), t("paused"));
	show(at("paused"), doc.paused);
	const one = !chain.class_target && Math.abs(chain.difficulty - 1) < 1e-9;
	const words = { d: si(chain.difficulty), n: many(chain.hashes) };
	say(at("difficulty"), one ? t("difficulty-1") : t(chain.class_target ? "difficulty-easy" : "difficulty", words));
	say(at("total"), rate(total.rate_hs));
	say(at("total-sigma"), total.rate_hs === null ? "" : `${sigma(total.sigma_hs)}H/s`.replace(/(\d)H/, "$1 H"));
	say(at("total-told"), total.mean_wait_s === null ? t("total-none") : t("total-told", { mean: span(total.mean_wait_s) }));
	say(at("words"), chain.private ? t("words") : chain.words);
	document.title = t("title", { h: chain.height });
}

function chain() {
	const place = at("chain");
	const letters = parseFloat(getComputedStyle(document.documentElement).fontSize);
	const fitting = Math.max(Math.floor(place.clientWidth / (11.5 * letters)), 3);
	const room = document.body.dataset.focus ? 12 : wide.matches ? fitting : 16;
	const shown = doc.blocks.filter((block) => block.accepted || block.hash === doc.chain.tip_hash).slice(-room);
	rows(place, shown, (block) => block.hash, () => el("li", "", null, el("b"), el("span", "took dim"), el("span", "by"), el("span", "hex")), (item, block) => {
		const tip = block.hash === doc.chain.tip_hash;
		const [height, took, by, hash] = item.children;
		say(height, number(block.height));
		say(took, block.waited_s === null ? "" : ` ${span(block.waited_s)}`);
		say(by, block.name || "–");
		say(hash, `${block.hash.slice(0, 10)}…`);
		item.title = `${block.hash}${block.word ? `: ${block.word}` : ""}`;
		item.className = ["", tip && "newest", block.side && `side-${block.side}`, doc.time_s - block.at_s < 2 && "new"].filter(Boolean).join(" ");
	});
	const newest = shown.length ? shown[shown.length - 1].hash : "";
	if (place.dataset.newest !== newest) place.scrollLeft = place.scrollWidth; // a phone shows it, too
	place.dataset.newest = newest;
	show(at("chain-none"), !shown.length);
	say(at("chain-none"), t("chain-none"));
}

function who() {
	const list = doc.members.filter((m) => m.here || m.work > 0).sort((a, b) => Number(b.here) - Number(a.here) || (b.rate_hs ?? -1) - (a.rate_hs ?? -1) || a.number - b.number);
	const body = at("who").tBodies[0];
	const card = at("card-who");
	const row = body.rows[0] ? body.rows[0].offsetHeight : 30;
	const foot = card.querySelector(".foot").offsetHeight;
	const room = wide.matches ? Math.max(Math.floor((card.clientHeight - at("who").offsetTop - at("who").tHead.offsetHeight - foot - 0.4 * row) / row), 3) : list.length;
	const pages = Math.max(Math.ceil(list.length / room), 1);
	const page = Math.floor(Date.now() / 1000 / PAGE_S) % pages;
	const shown = list.slice(page * room, (page + 1) * room);
	say(at("who-page"), pages > 1 ? t("page", { from: page * room + 1, to: page * room + shown.length, of: list.length }) : "");
	rows(body, shown, (m) => m.number, () => el("tr", "", null, el("td", "", null, el("i", "dot-key"), el("span")), ...["rate", "sigma", "shares", "blocks"].map(() => el("td"))), (line, m) => {
		const [name, speed, spread, shares, blocks] = line.children;
		name.firstChild.style.background = colour(m.number);
		const state = !m.here ? ` (${t("away")})` : m.paused ? ` (${t("member-paused")})` : "";
		say(name.lastChild, `${m.side ? `${m.side}: ` : ""}${m.name}${state}`);
		line.title = `${m.name}: ${m.device}`;
		line.className = m.here ? "" : "away";
		say(speed, rate(m.rate_hs));
		say(spread, m.rate_hs ? part(m.sigma_hs / m.rate_hs) : "");
		say(shares, number(m.accepted));
		say(blocks, number(m.blocks));
	});
}

function told() {
	const luck = doc.luck && doc.luck.blocks > 1 ? doc.luck : null;
	say(at("bars-told"), luck ? t("bars-told", { n: number(luck.blocks), q: part(luck.part), s: part(luck.sigma) }) : t("bars-none"));
	say(at("income-told"), luck ? t("income-told", { n: number(luck.blocks), q: part(luck.part), solo: decimal(luck.alone), pool: decimal(luck.pooled, 2) }) : t("income-none"));
	const waited = doc.waits;
	say(at("waits-told"), waited ? t("waits-told", { n: number(waited.n), mean: span(waited.mean_s) }) : "");
	say(at("attack-told"), doc.attack ? attackTold(doc.attack) : t("attack-none"));
	say(at("attack-why"), t("attack-why"));
}

function best() {
	rows(at("best"), doc.best, (one) => one.number, () => el("li", "", null, el("span", "by"), el("span", "figure")), (item, one, place) => {
		say(item.firstChild, `${place + 1}. ${one.name}`);
		say(item.lastChild, t("bits", { n: decimal(one.bits) }));
		item.className = one.bits >= doc.chain.bits ? "block" : "";
	});
	show(at("best-none"), !doc.best.length);
}

// What such a machine, or the network, is to this class.
function beside() {
	const own = doc.total.rate_hs;
	rows(at("beside"), doc.beside, (one) => one.name, () => el("li", "", null, el("span", "by"), el("span", "figure"), el("span", "more dim")), (item, one) => {
		say(item.firstChild, one.name === "network" ? t("network") : one.name);
		say(item.children[1], own ? many(one.rate_hs / own) : rate(one.rate_hs));
		say(item.lastChild, `${rate(one.rate_hs)}, ${one.as_of}: ${one.source.replace(/^https:\/\//, "")}`);
		item.title = item.lastChild.textContent;
	});
	const network = doc.beside.find((one) => one.name === "network");
	say(at("sources"), t("sources", { date: network.as_of }));
}

function join() {
	const { url, command } = doc.join;
	show(at("card-join"), Boolean(url || command));
	show(at("join-phone"), Boolean(url));
	say(at("join-computer"), t(doc.chain.private ? "join-computer" : "join-miner"));
	say(at("join-url"), url);
	say(at("join-command"), command);
	const image = at("qr");
	show(image, Boolean(url));
	if (url && image.dataset.of !== url) {
		image.dataset.of = url;
		image.src = "/board/qr.svg";
		image.alt = `QR: ${url}`;
	}
}

function focus() {
	const large = mine || asked;
	if (large) document.body.dataset.focus = large;
	else delete document.body.dataset.focus;
}

function replayed() {
	const told = doc.replay;
	if (!told) return;
	const words = t("replay", { speed: decimal(told.speed, told.speed % 1 ? 1 : 0), at: span(told.at_s), of: span(told.of_s) });
	say(at("mode-told"), told.ended ? t("ended") : words);
}

function all() {
	if (!doc) return;
	const shared = doc.mode === "pool" && doc.chain.private; // at home one address is paid
	show(at("card-income"), shared);
	show(at("card-bars"), !shared && doc.mode !== "attack");
	show(at("card-attack"), doc.mode === "attack");
	show(at("card-waits"), doc.mode !== "attack");
	document.body.dataset.mode = doc.mode;
	focus();
	top();
	for (const part of [chain, who, told, best, beside, join, replayed]) part();
	for (const name of ["bars", "income", "waits", "line"]) draw(name);
	if (doc.attack) draw("attack");
	seen = Math.max(seen, ...doc.shares.map((one) => one.at_s));
}

function take(news) {
	if (!doc) seen = news.time_s; // what was there before is no news
	doc = news;
	if (asked !== (news.focus || "")) [asked, mine] = [news.focus || "", ""];
	show(at("gone"), false);
	document.body.classList.remove("gone");
	all();
}

function silent(s) {
	if (s < 5) return;
	show(at("gone"), true);
	say(at("gone"), t("gone", { s: span(Math.floor(s)) }));
}

function speakAll() {
	speakPage();
	paint(keep.get("theme", "auto"));
	all();
}

function paint(theme) {
	keep.set("theme", theme);
	if (theme === "auto") delete document.documentElement.dataset.theme;
	else document.documentElement.dataset.theme = theme;
	say(at("theme"), t("theme", { t: t(theme) }));
}

function grow(name) {
	mine = mine === name ? "" : name;
	if (!mine) asked = "";
	all();
}

for (const button of document.querySelectorAll("button.grow")) button.addEventListener("click", () => grow(button.dataset.card));
document.addEventListener("keydown", (event) => {
	if (event.ctrlKey || event.altKey || event.metaKey) return;
	if (event.key === "Escape" || event.key === "0") [mine, asked] = ["", ""];
	else if (CARDS[Number(event.key) - 1]) mine = CARDS[Number(event.key) - 1];
	else return;
	all();
});
at("lang").addEventListener("click", () => {
	speak(lang === "de" ? "en" : "de");
	speakAll();
});
at("theme").addEventListener("click", () => {
	paint(THEMES[(THEMES.indexOf(keep.get("theme", "auto")) + 1) % THEMES.length]);
	all();
});
for (const kind of ["svg", "png"]) at(`save-${kind}`).addEventListener("click", () => doc && save(doc, kind));
window.addEventListener("resize", all);
wide.addEventListener("change", all);
speakAll();
follow({ stream: "/api/class/events", status: "/api/class/board", take, silent, woken: () => {} });
