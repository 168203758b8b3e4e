// The three pictures: rate, shares, luck. Drawn by uPlot; every array has a bound.

import { significant, known, rate, si, duration } from "/words.js";

const FINE = 720;
const COARSE = 1440;
const SHARES = 1024;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Keeps a picture as wide as its place, and makes it anew when the colours change.
class Picture {
	constructor(place, make) {
		this.place = place;
		this.make = make;
		this.plot = null;
		this.data = null;
		new ResizeObserver(() => this.fit()).observe(place);
	}
	size() {
		return { width: Math.max(this.place.clientWidth, 200), height: Math.max(this.place.clientHeight, 120) };
	}
	fit() {
		const size = this.size();
		if (this.plot && (size.width !== this.plot.width || size.height !== this.plot.height)) this.plot.setSize(size);
	}
	draw(data, options, told) {
		this.data = data;
		this.options = options;
		if (!this.plot) this.plot = new uPlot({ ...this.size(), ...this.make(this) }, data, this.place);
		else this.plot.setData(data);
		this.place.setAttribute("role", "img");
		this.place.setAttribute("aria-label", told);
	}
	recolour() {
		if (!this.plot) return;
		this.plot.destroy();
		this.plot = null;
		this.draw(this.data, this.options, this.place.getAttribute("aria-label"));
	}
}

const axis = (more) => ({
	stroke: css("--dim"),
	grid: { stroke: css("--line"), width: 1 },
	ticks: { show: false },
	font: `12px ${css("--font")}`,
	...more,
});
const line = (stroke, more = {}) => ({ stroke, width: 2, points: { show: false }, ...more });
const clock = { space: 70, size: 28, values: [
	[86400, "{D}.{M}.", null, null, null, null, null, null, 1],
	[60, "{HH}:{mm}", null, null, null, null, null, null, 1],
	[1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1],
] };
const quiet = { legend: { show: false }, cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } } };

// A text beside the pointer.
function tip(text) {
	let box = null;
	return { hooks: {
		init: (plot) => {
			box = document.createElement("div");
			box.className = "tip";
			box.hidden = true;
			plot.over.append(box);
			plot.over.addEventListener("mouseleave", () => { box.hidden = true; });
		},
		setCursor: (plot) => {
			const { idx, left, top } = plot.cursor;
			const said = idx === null || idx === undefined || left < 0 ? "" : text(plot, idx);
			box.hidden = !said;
			if (!said) return;
			box.textContent = said;
			const far = plot.over.clientWidth - left;
			box.style.left = left < far ? `${left + 12}px` : "";
			box.style.right = left < far ? "" : `${far + 12}px`;
			box.style.top = `${Math.max(Math.min(top, plot.over.clientHeight - 40), 0)}px`;
		},
	} };
}

export class Past {
	constructor() {
		this.fine = [];
		this.coarse = [];
	}
	get newest() {
		const last = (list) => (list.length ? list[list.length - 1][0] : 0);
		return Math.min(last(this.fine) || 0, last(this.coarse) || last(this.fine) || 0);
	}
	add(told) {
		for (const [name, most] of [["fine", FINE], ["coarse", COARSE]]) {
			const list = this[name];
			const after = list.length ? list[list.length - 1][0] : 0;
			list.push(...told[name].filter((row) => row[0] > after));
			if (list.length > most) list.splice(0, list.length - most);
		}
	}
	of(span, now) {
		const rows = span > 3600 ? this.coarse : this.fine;
		return rows.filter((row) => row[0] > now - span);
	}
}

export class RateChart {
	constructor(place) {
		this.span = 600;
		this.picture = new Picture(place, (held) => ({
			...quiet,
			scales: {
				x: { range: () => held.options.x },
				y: { range: (_, low, high) => [0, Math.max(high || 0, held.options.benchmark || 0) * 1.08 || 1] },
			},
			axes: [axis(clock), axis({ size: 84, values: (_, all) => all.map((value) => si(value, "H/s")) })],
			series: [
				{},
				line("transparent", { width: 0 }),
				line("transparent", { width: 0 }),
				line(css("--accent")),
				line(css("--mark"), { width: 1.5, dash: [6, 5] }),
			],
			bands: [{ series: [2, 1], fill: css("--band") }],
			plugins: [tip((plot, at) => {
				const [x, low, high, mean] = plot.data.map((column) => column[at]);
				const when = new Date(1000 * x).toLocaleTimeString();
				return known(mean) ? `${when}: ${rate(mean)} (${rate(low)} to ${rate(high)})` : "";
			})],
		}));
	}
	draw(past, now, benchmark) {
		const rows = past.of(this.span, now);
		const gap = this.span > 3600 ? 200 : 20;
		const columns = [[], [], [], [], []];
		const add = (x, ...values) => [x, ...values].forEach((value, n) => columns[n].push(value));
		const mark = known(benchmark) ? benchmark : null;
		add(now - this.span, null, null, null, mark);
		let before = null;
		for (const row of rows) {
			if (before !== null && row[0] - before > gap) add(row[0] - 0.5, null, null, null, mark);
			add(row[0], row[2], row[3], row[1], mark);
			before = row[0];
		}
		add(now, null, null, null, mark);
		const mean = rows.length ? rows.reduce((sum, row) => sum + row[1], 0) / rows.length : null;
		const told = rows.length
			? `Hash rate over ${duration(this.span)}: ${rate(mean)} on average, between ${rate(Math.min(...rows.map((row) => row[2])))} and ${rate(Math.max(...rows.map((row) => row[3])))}`
			: "No rate was measured in this time";
		this.picture.draw(columns, { x: [now - this.span, now], benchmark: mark }, told);
		return { mean, rows: rows.length };
	}
}

// Newest shares by hash; an answer that comes later takes the place of the open one.
export class Shares {
	constructor() {
		this.byHash = new Map();
	}
	get since() {
		let oldest = Infinity;
		let newest = 0;
		for (const share of this.byHash.values()) {
			newest = Math.max(newest, share.found_at_s);
			if (!share.answer) oldest = Math.min(oldest, share.found_at_s);
		}
		return Math.max(Math.min(oldest, newest) - 0.001, newest - 600, 0);
	}
	add(recent) {
		for (const share of recent) {
			delete share.header;
			this.byHash.set(share.hash, share);
		}
		for (const hash of this.byHash.keys()) {
			if (this.byHash.size <= SHARES) break;
			this.byHash.delete(hash);
		}
	}
	clear() {
		this.byHash.clear();
	}
	get list() {
		return [...this.byHash.values()].sort((one, two) => one.found_at_s - two.found_at_s);
	}
}

const kindOf = (share) => {
	if (share.is_block) return 3;
	if (!share.answer || share.answer === "pending" || share.answer === "unknown") return 2;
	return share.answer === "accepted" ? 0 : 1;
};
const decades = (low, high) => {
	const first = Math.floor(Math.log10(low));
	const last = Math.ceil(Math.log10(high));
	const step = Math.max(1, Math.ceil((last - first) / 7));
	const found = [];
	for (let at = first; at <= last; at += step) found.push(10 ** at);
	return found;
};
const difficulty = (value) => (value < 1e-3 ? significant(value, 1) : si(value, "", 1));

export class ShareChart {
	constructor(place) {
		const dots = (colour, filled, size) => ({
			paths: () => null,
			stroke: colour,
			points: { show: true, size, width: 1.5, stroke: colour, fill: filled ? colour : css("--card") },
		});
		this.picture = new Picture(place, (held) => ({
			...quiet,
			scales: { x: { range: () => held.options.x }, y: { distr: 3, log: 10, range: () => held.options.y } },
			axes: [axis(clock), axis({
				size: 60,
				splits: (_, __, low, high) => decades(low, high),
				filter: (_, all) => all,
				values: (_, all) => all.map(difficulty),
			})],
			series: [
				{},
				dots(css("--good"), true, 5),
				dots(css("--bad"), false, 7),
				dots(css("--dim"), false, 5),
				dots(css("--mark"), true, 11),
				line(css("--bad"), { width: 2 }),
				line(css("--dim"), { width: 1, dash: [4, 4] }),
			],
			plugins: [tip((plot, at) => {
				const share = held.options.list[at - 1];
				return share ? `${new Date(1000 * share.found_at_s).toLocaleTimeString()}: difficulty ${si(share.difficulty)}, ${share.is_block ? "a block, " : ""}${share.answer || "not answered"}` : "";
			})],
		}));
	}
	draw(shares, job, now) {
		const list = shares.list;
		const net = job && job.network_difficulty;
		const each = job && job.share_difficulty;
		const from = list.length ? Math.min(list[0].found_at_s, now - 60) : now - 600;
		const columns = [[from], [null], [null], [null], [null], [net ?? null], [each ?? null]];
		for (const share of list) {
			const kind = kindOf(share);
			columns[0].push(share.found_at_s);
			for (let n = 0; n < 4; n += 1) columns[n + 1].push(n === kind ? share.difficulty : null);
			columns[5].push(net ?? null);
			columns[6].push(each ?? null);
		}
		columns.forEach((column, n) => column.push([now, null, null, null, null, net ?? null, each ?? null][n]));
		const all = [...list.map((share) => share.difficulty), net, each].filter((value) => value > 0);
		const low = all.length ? Math.min(...all) : 1;
		const high = all.length ? Math.max(...all) : 10;
		const y = [10 ** Math.floor(Math.log10(low) - 0.1), 10 ** Math.ceil(Math.log10(high) + 0.1)];
		const best = list.reduce((most, share) => Math.max(most, share.difficulty), 0);
		const told = `${list.length} shares by their difficulty, the best ${si(best)}; a block of this network needs ${si(net)}`;
		this.picture.draw(columns, { x: [from, now], y, list }, told);
	}
}

// Counts that 95 of 100 honest miners stay between, when `mean` are expected: Poisson's law.
export function band(mean) {
	if (mean >= 1000) return [mean - 2 * Math.sqrt(mean), mean + 2 * Math.sqrt(mean)];
	const tail = 0.02275;
	let log = -mean; // of the term: its exponential may be too small for a number
	let sum = Math.exp(log);
	if (sum >= 1 - tail) return [0, 0];
	let low = sum >= tail ? 0 : null;
	for (let k = 1; k < mean + 12 * Math.sqrt(mean) + 20; k += 1) {
		log += Math.log(mean / k);
		sum += Math.exp(log);
		if (low === null && sum >= tail) low = k;
		if (sum >= 1 - tail) return [low ?? k, k];
	}
	return [low ?? 0, mean + 12 * Math.sqrt(mean) + 20];
}

export class LuckChart {
	constructor(place) {
		this.picture = new Picture(place, (held) => ({
			...quiet,
			scales: { x: { time: false, range: () => held.options.x }, y: { range: () => held.options.y } },
			axes: [
				axis({ label: "shares expected from the hashes done", labelSize: 18, size: 26, labelFont: `12px ${css("--font")}` }),
				axis({ size: 60, values: (_, all) => all.map((value) => `${Number((100 * value).toFixed(1))} %`) }),
			],
			series: [
				{ value: null },
				line("transparent", { width: 0 }),
				line("transparent", { width: 0 }),
				line(css("--dim"), { width: 1, dash: [4, 4] }),
				line(css("--accent"), { spanGaps: true }),
			],
			bands: [{ series: [2, 1], fill: css("--band") }],
			plugins: [tip((plot, at) => {
				const [x, low, high, , found] = plot.data.map((column) => column[at]);
				return `${significant(x)} expected: ${known(found) ? `${Math.round(100 * found)} % found; ` : ""}${Math.round(100 * low)} to ${Math.round(100 * high)} % is usual`;
			})],
		}));
	}
	draw(list, luck) {
		const path = new Map();
		for (const share of list) if (share.expected > 0 && share.number) path.set(share.expected, share.number / share.expected);
		if (luck.expected_shares > 0) path.set(luck.expected_shares, luck.found_shares / luck.expected_shares);
		const last = Math.max(luck.expected_shares, 1);
		const first = Math.min(Math.max(Math.min(...path.keys(), last), 0.3), 0.9 * last);
		const xs = new Set([...path.keys()].filter((x) => x >= first));
		for (let n = 0; n <= 60; n += 1) xs.add(first + ((last - first) * n) / 60);
		const x = [...xs].sort((one, two) => one - two);
		const bands = x.map((mean) => band(mean).map((edge) => edge / mean));
		const off = [...bands[Math.floor(x.length / 8)], ...path.values()].map((value) => Math.abs(value - 1));
		const far = Math.min(1.4 * Math.max(...off, 0.005), 4);
		const y = [Math.max(1 - far, 0), 1 + far];
		const columns = [x, bands.map((edge) => edge[0]), bands.map((edge) => edge[1]), x.map(() => 1), x.map((mean) => path.get(mean) ?? null)];
		const told = known(luck.ratio)
			? `Luck ${Math.round(100 * luck.ratio)} percent: ${luck.found_shares} shares found, ${significant(luck.expected_shares)} expected`
			: "Nothing was to be expected yet";
		this.picture.draw(columns, { x: [first, last], y }, told);
	}
}
