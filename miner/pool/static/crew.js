// The workers of this device, one a core but one, and who of them tries which nonces: each nonce of a
// unit is handed out once, in ranges of a fifth of a second.
const RANGE_MS = 200, FIRST = 1 << 15, LEAST = 1 << 10, MOST = 1 << 24;
const NONCES = 2 ** 32, WINDOW_MS = 10000;

export const cores = () => Math.max(1, Math.min((navigator.hardwareConcurrency || 2) - 1, 64));

// A unit: {job, unit, header: 76 bytes, target: 64 hex digits, next: the first nonce nobody has}.
export class Crew {
	// `on`: hit(unit, nonce), empty() when all nonces of the unit are out, path("wasm" or "js", why),
	// broken(why) when no worker is left.
	constructor(on) {
		this.on = on;
		this.workers = [];
		this.unit = null;
		this.running = false;
		this.duty = 1;
		this.done = []; // [when, hashes], of the last ten seconds
	}

	// Starts the workers; once.
	open(count, wasm) {
		for (let i = 0; i < count; i++) {
			const one = { worker: new Worker("/hasher.js"), ready: false, busy: null, resting: 0, size: FIRST };
			one.worker.onmessage = ({ data }) => this.heard(one, data);
			one.worker.onerror = (event) => this.heard(one, { kind: "broken", why: event.message || "no worker" });
			one.worker.postMessage({ kind: "open", wasm });
			this.workers.push(one);
		}
	}

	give(unit) {
		this.unit = unit;
		this.wake();
	}

	run(running) {
		if (running && !this.running) this.done = [];
		this.running = running;
		this.wake();
	}

	get count() {
		return this.workers.length;
	}

	// Hashes a second over the last ten seconds, 0 before the first.
	rate(now) {
		this.done = this.done.filter(([when]) => now - when < WINDOW_MS);
		if (!this.done.length) return 0;
		const began = this.done[0][0] - this.done[0][2];
		return 1000 * this.done.reduce((sum, [, hashes]) => sum + hashes, 0) / Math.max(now - began, 1);
	}

	wake() {
		for (const one of this.workers) this.next(one);
	}

	next(one) {
		const unit = this.unit;
		if (!this.running || unit === null || !one.ready || one.busy || one.resting) return;
		const count = Math.min(one.size, NONCES - unit.next);
		if (count <= 0) {
			if (!unit.told) this.on.empty();
			unit.told = true;
			return;
		}
		one.busy = unit;
		const { header, target } = unit;
		one.worker.postMessage({ kind: "scan", header, target, start: unit.next, count });
		unit.next += count;
	}

	heard(one, data) {
		if (data.kind === "ready") {
			one.ready = true;
			this.on.path(data.path, data.why);
		} else if (data.kind === "broken") {
			this.lose(one, data.why);
		} else {
			this.finished(one, data);
		}
		this.next(one);
	}

	finished(one, { hits, hashes, ms }) {
		const unit = one.busy;
		one.busy = null;
		one.size = Math.round(Math.max(LEAST, Math.min(MOST, 2 * one.size, RANGE_MS * hashes / Math.max(ms, 1))));
		this.done.push([performance.now(), hashes, ms]);
		for (const nonce of hits) this.on.hit(unit, nonce);
		if (this.duty < 1) {
			one.resting = setTimeout(() => { one.resting = 0; this.next(one); }, ms * (1 / this.duty - 1));
		}
	}

	lose(one, why) {
		one.worker.terminate();
		one.ready = false;
		this.workers = this.workers.filter((other) => other !== one);
		if (!this.workers.length) this.on.broken(why);
	}
}
