// The block being made: the header's bytes, what of them rolls, the coinbase, the way to the root.

import { at, cells, el, rows, say, show } from "/dom.js";
import { btc, count, duration, many, power, some } from "/words.js";

const spaced = (hex) => (hex || "").replace(/../g, "$& ").trimEnd();
const short = (hex) => (hex ? `${hex.slice(0, 12)}…${hex.slice(-4)}` : "…");
const little = (hex) => Number.parseInt(hex.match(/../g).reverse().join(""), 16);
const name = (text) => text.replace(/ /g, "-");

const MEANS = {
	version: (hex) => `0x${little(hex).toString(16).padStart(8, "0")}`,
	time: (hex) => new Date(1000 * little(hex)).toLocaleString(),
	nonce: (hex) => count(little(hex)),
	nbits: (hex) => `0x${little(hex).toString(16).padStart(8, "0")}`,
};
const HOW = { nonce: "rolling: +1 each hash", version: "rolling: spare bits", "merkle root": "rolls with extranonce2", time: "rolls with the clock" };

let told = null; // the newest whole answer
const rewards = new Map(); // what a block of this height pays, of the newest few

export const reward = (height) => rewards.get(height);

export function block(now) {
	told = now;
	if (now.coinbase && now.height !== undefined) rewards.set(now.height, now.coinbase.total_sat);
	if (rewards.size > 8) rewards.delete(rewards.keys().next().value);
	const empty = !now || !now.header;
	show(at("block"), !empty);
	if (empty) {
		say(at("block-told"), "No work yet: a pool or node must first tell what to build on.");
		return;
	}
	const height = now.height === undefined ? "A block" : `Block ${count(now.height)}`;
	const pays = now.coinbase ? `, which would pay ${btc(now.coinbase.total_sat)}` : "";
	say(at("block-told"), `${height}${pays}. Its work came ${duration(now.age_s)} ago${now.clean ? ", new on a new tip" : ""}.`);
	bytes(Object.fromEntries(now.header.fields.map((field) => [field.name, field.hex])));
	zeros(now);
	coinbase(now);
	merkle(now);
}

// Every second: what a worker scans now.
export function roll(job) {
	if (!told || !told.header || !job || job.job_id !== told.job_id || !job.header) return false;
	const hex = job.header;
	const nonce = job.nonce === undefined ? undefined : job.nonce.toString(16).padStart(8, "0").match(/../g).reverse().join("");
	const whole = {};
	for (const { name: which, start, bytes: size } of told.header.fields) whole[which] = start < 76 ? hex.slice(2 * start, 2 * (start + size)) : nonce;
	bytes(whole);
	return told.merkle.root !== whole["merkle root"]; // its path is another one by now
}

function bytes(whole) {
	rows(at("header-bytes"), told.header.fields, (field) => field.name, (field) => {
		const box = el("div", `field f-${name(field.name)}`);
		box.append(el("p", "name"), el("p", "hex"), el("p", "means"), el("p", "about dim", field.about));
		box.style.flexGrow = field.bytes;
		return box;
	}, (box, field) => {
		const [label, hex, means] = box.children;
		const now = whole[field.name];
		box.classList.toggle("rolls", field.rolls);
		say(label, `${field.name}, ${field.bytes} bytes`);
		label.dataset.how = field.rolls ? HOW[field.name] || "rolls" : "";
		say(hex, now ? spaced(now) : "known when a worker begins");
		say(means, !now ? "" : MEANS[field.name] ? MEANS[field.name](now) : `read as ${short(now.match(/../g).reverse().join(""))}`);
	});
}

function zeros(now) {
	const aim = now.target;
	const list = [
		{ key: "net", label: "a block needs", hex: aim.network, bits: aim.network_zero_bits },
		{ key: "share", label: "a share needs", hex: aim.share, bits: aim.share_zero_bits },
	];
	if (now.best) list.push({ key: "best", label: "best hash so far", hex: now.best.hash, bits: now.best.zero_bits });
	const most = Math.max(...list.map((row) => row.bits), 1);
	rows(at("zeros"), list, (row) => row.key, (row) => el("div", `zero z-${row.key}`, null, el("p", "label"), el("p", "hex", null, el("b"), el("span")), el("div", "bar", null, el("i"))), (box, row) => {
		const lead = /^0*/.exec(row.hex)[0];
		const [label, hex, bar] = box.children;
		say(label, `${row.label}: ${some(row.bits, "zero bit")}`);
		say(hex.children[0], lead);
		say(hex.children[1], row.hex.slice(lead.length));
		bar.children[0].style.width = `${(100 * row.bits) / most}%`;
	});
	const missing = now.best ? aim.network_zero_bits - now.best.zero_bits : null;
	const best = !now.best ? "" : missing > 0
		? ` The best so far lacks ${some(missing, "zero bit")}: it would have to be ${many(2 ** missing)} times rarer.`
		: " The best so far was small enough.";
	const wait = 2 ** 32 * aim.network_difficulty;
	say(at("zeros-told"), `A hash is a block when, read as a number, it is not above the target: one in ${wait < 1e15 ? many(wait) : power(wait)}.${best}`);
}

function coinbase(now) {
	const base = now.coinbase;
	show(at("coinbase-bytes").parentNode, Boolean(base));
	if (!base) {
		say(at("coinbase-told"), "The pool keeps it: it gave the header's work alone.");
		rows(at("outputs"), [], () => "", () => null, () => null);
		return;
	}
	const height = base.height === undefined ? "" : `Height ${count(base.height)}; `;
	say(at("coinbase-told"), `${height}pays ${btc(base.total_sat)}. Its text: ${base.tag || "none"}`);
	rows(at("outputs"), base.outputs, (_, place) => place, () => el("li", "", null, el("b"), el("span"), el("code", "secret"), el("em")), (line, row) => {
		cells(line, [btc(row.value_sat), " to ", row.to, row.is_user ? " (you)" : ""]);
		line.classList.toggle("nil", !row.value_sat);
	});
	rows(at("coinbase-bytes"), base.parts, (part, place) => `${place} ${part.name}`, (part) => el("span", `part p-${name(part.name.replace(/\d+/, ""))}`, null, el("small"), el("code")), (box, part) => {
		cells(box, [`${part.name}, ${part.bytes} B${part.rolls ? ", rolling" : ""}`, part.hex ? spaced(part.hex) : part.rolls ? "rolls" : "not shown"]);
		box.classList.toggle("rolls", part.rolls);
	});
}

function merkle(now) {
	const { steps, branch, root } = now.merkle;
	const sum = now.transactions || {};
	let how = "The block's transactions are not told.";
	if (sum.count) how = `${some(sum.count, "transaction")}, the coinbase among them.`;
	else if (sum.at_most === 1) how = "The coinbase is the only transaction.";
	else if (sum.at_most) how = `${count(sum.at_least)} to ${count(sum.at_most)} transactions: a pool tells only this path.`;
	say(at("transactions"), `${how} ${branch.length ? `${some(branch.length, "hashing step")} up to the root:` : ""}`);
	const list = (steps || branch.map((partner) => ({ partner }))).map((step, n) => ({ ...step, n }));
	rows(at("merkle"), [...list, { root, n: "root" }], (row) => row.n, (row) => el("li", row.n === "root" ? "root" : "", null, el("code"), el("span"), el("code"), el("span"), el("code")), (line, row) => {
		if (row.n === "root") cells(line, ["", "the root in the header: ", short(root), "", ""]);
		else cells(line, [row.n ? short(row.hash) : `coinbase ${short(row.hash)}`, " + ", short(row.partner), row.gives ? " → " : "", row.gives ? short(row.gives) : ""]);
	});
}
