// The board's pictures, as SVG drawn anew each second: the same ones are saved as files.
// box: { w, h, em } in pixels. Texts of others only ever become textContent.

import { chance, decimal, part, si, span, t } from "./board-words.js";

const NS = "http://www.w3.org/2000/svg";
const MOST_BARS = 24;

function shape(tag, attributes, text = null, ...kids) {
	const node = document.createElementNS(NS, tag);
	for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
	if (text !== null) node.textContent = text;
	node.append(...kids);
	return node;
}

const fixed = (value) => Number(value.toFixed(1));
const word = (x, y, text, more = {}) => shape("text", { x: fixed(x), y: fixed(y), ...more }, text);
const box = (x, y, w, h, name) => shape("rect", { x: fixed(x), y: fixed(y), width: fixed(Math.max(w, 0)), height: fixed(Math.max(h, 0)), class: name });
const path = (d, name, width = 2) => shape("path", { d, class: name, "stroke-width": width });

export function picture(size, told, ...kids) {
	const { w, h, em } = size;
	const node = shape("svg", { viewBox: `0 0 ${fixed(w)} ${fixed(h)}`, "font-size": fixed(em), role: "img", "aria-label": told });
	node.append(...kids);
	return node;
}

// A sentence instead of a picture, in as many lines as it needs.
function nothing(size, text) {
	const { w, h, em } = size;
	const lines = [""];
	for (const one of text.split(" ")) {
		const longer = `${lines[lines.length - 1]} ${one}`.trim();
		if (longer.length * 0.56 * em > w && lines[lines.length - 1]) lines.push(one);
		else lines[lines.length - 1] = longer;
	}
	return picture(size, text, ...lines.map((line, place) => word(w / 2, h / 2 + (place - (lines.length - 1) / 2) * 1.3 * em, line, { "text-anchor": "middle", class: "soft" })));
}

// A letter is about half as wide as high.
export function short(text, width, em) {
	const room = Math.max(Math.floor(width / (0.56 * em)), 2);
	const letters = [...text];
	return letters.length <= room ? text : `${letters.slice(0, room - 1).join("")}…`;
}

// Two bars a member: name left, figures right. `mark`: a stroke with what theory gives, and its σ.
function pairs(size, told, list, figures) {
	const { w, h, em } = size;
	const row = Math.max(h / Math.max(list.length, 1), 1.5 * em);
	const left = Math.min(0.34 * w, 11 * em);
	const right = figures * em;
	const most = Math.max(...list.filter((one) => !one.rest).flatMap((one) => [one.first, one.second, one.mark ? one.mark + (one.sigma || 0) : 0]), 1e-12);
	const x = (value) => left + ((w - left - right) * Math.min(value, most)) / most;
	const thick = Math.min(row * 0.36, 1.3 * em);
	const kids = list.slice(0, Math.floor(h / row + 0.01)).flatMap((one, place) => {
		const y = place * row + (row - 2 * thick) / 2;
		const middle = y + thick + 0.35 * em;
		if (one.rest) return [word(left - 0.4 * em, middle, one.name, { "text-anchor": "end", class: "soft" }), word(w - right + 0.4 * em, middle, one.figure, { class: "soft" })];
		const drawn = [
			word(left - 0.4 * em, middle, short(one.name, left - 0.4 * em, em), { "text-anchor": "end" }),
			box(left, y, x(one.first) - left, thick - 1, "c-work"),
			box(left, y + thick + 1, x(one.second) - left, thick - 1, "c-found"),
			word(w - right + 0.4 * em, middle, one.figure),
		];
		if (one.mark !== undefined) {
			const spot = fixed(x(one.mark));
			if (one.sigma) drawn.push(path(`M${fixed(x(Math.max(one.mark - one.sigma, 0)))} ${fixed(y + 1.5 * thick)}H${fixed(x(one.mark + one.sigma))}`, "s-fair", 2));
			drawn.push(path(`M${spot} ${fixed(y + (one.whole ? 0 : thick))}V${fixed(y + 2 * thick)}`, "s-fair", 3));
		}
		return drawn;
	});
	return picture(size, told, ...kids);
}

// Those who work most by name, the others as one row.
export function ranked(members, room) {
	const list = members.filter((m) => m.work > 0 || m.blocks > 0).sort((a, b) => b.work - a.work || a.number - b.number);
	const shown = Math.max(Math.min(room, MOST_BARS), 2);
	if (list.length <= shown) return list;
	const rest = list.slice(shown - 1);
	const sum = (key) => rest.reduce((total, m) => total + m[key], 0);
	return [...list.slice(0, shown - 1), { rest: true, name: t("others", { n: rest.length }), work: sum("work"), found: sum("found"), blocks: sum("blocks"), alone: sum("alone"), pooled: sum("pooled") }];
}

export function bars(size, doc) {
	const list = ranked(doc.members, Math.floor(size.h / (1.9 * size.em)));
	const blocks = doc.luck ? doc.luck.blocks : 0;
	if (!list.length) return nothing(size, t("line-none"));
	const told = list.map((m) => `${m.name}: ${part(m.work)}, ${part(m.found)}`).join("; ");
	return pairs(size, `${t("bars")}. ${told}`, list.map((m) => ({
		name: m.name, rest: m.rest, first: m.work, second: m.found, figure: `${part(m.work)} | ${part(m.found)}`,
		...(blocks ? { mark: m.work, sigma: Math.sqrt((m.work * (1 - m.work)) / blocks) } : {}),
	})), 7.4);
}

export function income(size, doc) {
	const list = ranked(doc.members, Math.floor(size.h / (1.9 * size.em)));
	const total = doc.members.reduce((sum, m) => sum + m.alone, 0);
	if (!total) return nothing(size, t("income-none"));
	const coins = (sat) => decimal(sat / 1e8, sat >= 1e10 ? 0 : 1);
	const told = list.map((m) => `${m.name}: ${t("in-pool")} ${coins(m.pooled)}, ${t("alone")} ${coins(m.alone)}`).join("; ");
	return pairs(size, `${t("income")}. ${told}`, list.map((m) => ({
		name: m.name, rest: m.rest, first: m.pooled, second: m.alone, mark: m.work * total, whole: true, figure: `${coins(m.pooled)} | ${coins(m.alone)}`,
	})), 8.2);
}

export function waits(size, doc) {
	const told = doc.waits;
	if (!told) return nothing(size, doc.total.mean_wait_s === null ? t("nobody") : t("waits-none", { mean: span(doc.total.mean_wait_s) }));
	const { w, h, em } = size;
	const [left, bottom, top] = [1.6 * em, 2.3 * em, 0.6 * em];
	const n = told.counts.length;
	// The curve's height at a wait: what a bin would hold if it lay round it.
	const scale = (told.n * told.width_s) / told.mean_s;
	const most = Math.max(...told.counts, scale, 1) * 1.05;
	const x = (bin) => left + ((w - left - 0.5 * em) * bin) / n;
	const y = (count) => h - bottom - ((h - bottom - top) * count) / most;
	const kids = told.counts.map((count, bin) => box(x(bin) + 1, y(count), x(bin + 1) - x(bin) - 2, y(0) - y(count), "c-bar"));
	const curve = Array.from({ length: 61 }, (_, place) => {
		const bin = (place / 60) * (n - 1);
		return `${place ? "L" : "M"}${fixed(x(bin))} ${fixed(Math.max(y(scale * Math.exp((-bin * told.width_s) / told.mean_s)), top))}`;
	});
	kids.push(path(curve.join(""), "s-curve", 3), path(`M${fixed(left)} ${fixed(y(0))}H${fixed(w)}`, "axis", 1));
	for (let bin = 0; x(bin) < w - 7 * em; bin += 3) kids.push(word(x(bin), h - 1.15 * em, bin ? span(bin * told.width_s) : "0", { "text-anchor": bin ? "middle" : "start", class: "soft" }));
	kids.push(word(w - 0.2 * em, h - 1.15 * em, `> ${span((n - 1) * told.width_s)}`, { "text-anchor": "end", class: "soft" }));
	const step = most > 8 ? Math.ceil(most / 4) : Math.ceil(most / 2);
	for (let count = step; count < most; count += step) kids.push(word(left - 0.3 * em, y(count) + 0.35 * em, String(count), { "text-anchor": "end", class: "soft" }));
	return picture(size, t("waits-told", { n: told.n, mean: span(told.mean_s) }), ...kids);
}

const hue = (number) => `hsl(${(number * 137) % 360} 65% 50%)`;
export const colour = hue;

// 256 zero bits would be the number 0. `seen`: of which moment the last picture was.
export function line(size, doc, seen) {
	const { w, h, em } = size;
	const least = Math.min(doc.chain.bits - 6, ...doc.shares.map((one) => one.bits));
	const right = Math.max(Math.floor(least) - 1, 0);
	const left = Math.max(Math.ceil(doc.chain.bits) + 3, ...doc.best.map((one) => Math.ceil(one.bits) + 1));
	const [margin, ground] = [1.2 * em, h - 2.6 * em];
	const x = (bits) => margin + ((w - 2 * margin) * (left - bits)) / (left - right);
	const kids = [path(`M${fixed(margin)} ${fixed(ground)}H${fixed(w - margin)}`, "axis", 2)];
	const step = Math.max(Math.ceil((left - right) / Math.max(Math.floor(w / (7 * em)), 2)), 1);
	for (let bits = left - (left % step); bits >= right; bits -= step) {
		kids.push(path(`M${fixed(x(bits))} ${fixed(ground)}v${fixed(0.4 * em)}`, "axis", 2));
		kids.push(word(x(bits), ground + 1.4 * em, String(bits), { "text-anchor": "middle", class: "soft" }));
	}
	kids.push(word(w - margin, ground + 2.4 * em, t("line-bits"), { "text-anchor": "end", class: "soft" }));
	const target = x(doc.chain.bits);
	kids.push(shape("rect", { x: fixed(margin), y: 0, width: fixed(target - margin), height: fixed(ground), class: "c-target", opacity: 0.12 }));
	kids.push(path(`M${fixed(target)} ${fixed(0.2 * em)}V${fixed(ground + 0.4 * em)}`, "s-target", 3));
	const side = target > w / 2 ? "end" : "start";
	kids.push(word(target + (side === "end" ? -0.4 : 0.4) * em, 1.1 * em, t("line-target"), { "text-anchor": side, class: "c-target" }));
	const names = new Map(doc.members.map((m) => [m.number, m.name]));
	const newest = doc.shares.map((one) => one.is_block).lastIndexOf(true);
	const lanes = Math.max(Math.floor((ground - 2.2 * em) / (0.9 * em)), 1);
	doc.shares.forEach((one, place) => {
		const age = doc.time_s - one.at_s;
		const y = ground - 0.7 * em - (place % lanes) * 0.9 * em;
		const fresh = one.at_s > seen;
		const dot = shape("circle", { cx: fixed(x(one.bits)), cy: fixed(y), r: fixed((one.is_block ? 0.55 : 0.32) * em), fill: hue(one.number), opacity: one.is_block ? 1 : Math.max(1 - age / 400, 0.3).toFixed(2), class: `share${fresh ? " fresh" : ""}${one.is_block ? " winner" : ""}` });
		kids.push(dot);
		if ((fresh && doc.shares.length - place <= 3) || place === newest) {
			const end = x(one.bits) > w * 0.7;
			kids.push(word(x(one.bits) + (end ? -0.6 : 0.6) * em, y + 0.3 * em, short(names.get(one.number) ?? "", 0.28 * w, em), { "text-anchor": end ? "end" : "start", class: "halo", "stroke-width": 4 }));
		}
	});
	if (!doc.shares.length) kids.push(word(w / 2, h / 3, t("line-none"), { "text-anchor": "middle", class: "soft" }));
	return picture(size, t("line-told"), ...kids);
}

// The two branches above each other, and the hashing of both sides.
export function attack(size, doc) {
	const told = doc.attack;
	const { w, h, em } = size;
	const sides = ["A", "B"].map((name) => ({ name, ...told.sides[name] }));
	const most = Math.max(...sides.map((one) => one.blocks), 3);
	const each = Math.min((w - 6 * em) / (most + 1), 3.4 * em);
	const kids = [];
	const trunk = [0.5 * em, h / 2];
	kids.push(box(trunk[0], trunk[1] - 0.9 * em, 3.4 * em, 1.8 * em, "c-bar"), word(trunk[0] + 1.7 * em, trunk[1] + 0.35 * em, String(told.fork_height), { "text-anchor": "middle" }));
	sides.forEach((one, place) => {
		const y = place ? h - 2.2 * em : 2.3 * em;
		const name = place ? "c-b" : "c-a";
		const lost = told.active && told.active !== one.name;
		kids.push(path(`M${fixed(trunk[0] + 3.4 * em)} ${fixed(trunk[1])}L${fixed(trunk[0] + 4.6 * em)} ${fixed(y)}`, "axis", 2));
		for (let block = 0; block < one.blocks; block += 1) {
			const tile = box(trunk[0] + 4.6 * em + block * each, y - 0.8 * em, each - 0.25 * em, 1.6 * em, name);
			if (lost) tile.setAttribute("opacity", 0.3);
			kids.push(tile);
		}
		const followed = told.active === one.name ? `, ${t("attack-followed")}` : "";
		kids.push(word(trunk[0] + 4.6 * em, y + (place ? 1.9 : -1.2) * em, short(`${t("side", { s: one.name })}: ${one.blocks} ${t("count")}, ${si(one.rate_hs, "H/s")}${followed}`, w - 5.5 * em, em), { "font-weight": 650 }));
	});
	return picture(size, `${t("attack")}: A ${told.sides.A.blocks}, B ${told.sides.B.blocks}`, ...kids);
}

export function attackTold(told) {
	if (!told.split) return t("attack-none");
	if (told.reorganised) return t("attack-won", { n: told.undone, s: told.active === "B" ? "A" : "B" });
	const ahead = -told.behind;
	if (ahead > 0) return t("attack-ahead", { n: ahead });
	if (!told.sides.A.blocks && !told.sides.B.blocks) return t("attack-begin", { h: told.fork_height });
	const stand = ahead === 0 ? t("attack-level") : t("attack-behind", { n: told.behind });
	if (told.part === null) return stand;
	const odds = told.part >= 0.5 ? t("attack-majority", { q: part(told.part) }) : t("attack-chance", { q: part(told.part), p: chance(told.chance) });
	return `${stand} ${odds}`;
}
