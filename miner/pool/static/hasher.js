"use strict";
// A Web Worker: tries the nonces it is given, on one core. Two ways to do so, each believed only after
// it has answered as the plain SHA-256 below does: WebAssembly (the miner's own C, where this server
// has it), and the unrolled JavaScript of hash.js. Every hit is hashed again here before it is told.
//
// In: {kind: "open", wasm: is there a /hash.wasm?}, then {kind: "scan", header: 76 bytes, target: 64
// hex digits, start, count, tag}. Out: {kind: "ready", path: "wasm" or "js", why: why not wasm} or
// {kind: "broken", why}; {kind: "done", tag, hits: nonces, hashes, ms}.
importScripts("/hash.js");

const SURVIVORS = 1024; // of one call of a scan
const FIRST_WORDS = 16, SECOND_BITS = 256, HEADER_BITS = 640, PAD = 0x80000000 | 0;

// ---- SHA-256 as FIPS 180-4 has it: once a header, and once a hit.
const ror = (x, n) => x >>> n | x << 32 - n;
const swapped = (x) => x << 24 | x << 8 & 0xff0000 | x >>> 8 & 0xff00 | x >>> 24;

function compress(state, block) {
	const w = new Int32Array(64);
	w.set(block);
	for (let t = FIRST_WORDS; t < 64; t++) {
		const x = w[t - 15], y = w[t - 2];
		w[t] = w[t - 16] + (ror(x, 7) ^ ror(x, 18) ^ x >>> 3) + w[t - 7] + (ror(y, 17) ^ ror(y, 19) ^ y >>> 10);
	}
	let [a, b, c, d, e, f, g, h] = state;
	for (let t = 0; t < 64; t++) {
		const one = h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + (e & f ^ ~e & g) + homehash.K[t] + w[t] | 0;
		const two = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + (a & b ^ a & c ^ b & c) | 0;
		h = g; g = f; f = e; e = d + one | 0; d = c; c = b; b = a; a = one + two | 0;
	}
	return Int32Array.of(a, b, c, d, e, f, g, h).map((word, i) => word + state[i]);
}

function bigEndianWords(bytes, start, count) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	return Int32Array.from({ length: count }, (_, i) => view.getInt32(start + 4 * i));
}

// The double hash of the header with this nonce: 8 words of its 256-bit number, the greatest first.
function number(midstate, tail, nonce) {
	const last = new Int32Array(FIRST_WORDS), second = new Int32Array(FIRST_WORDS);
	last.set([...tail, swapped(nonce), PAD]);
	last[15] = HEADER_BITS;
	second.set(compress(midstate, last));
	second[8] = PAD;
	second[15] = SECOND_BITS;
	return Uint32Array.from(compress(homehash.INIT, second), swapped).reverse();
}

function meets(words, target) {
	for (let i = 0; i < 8; i++) if (words[i] !== target[i]) return words[i] < target[i];
	return true;
}

const targetWords = (hex) => Uint32Array.from({ length: 8 }, (_, i) => parseInt(hex.substr(8 * i, 8), 16));

// ---- The two ways. Each: (midstate, tail, target, start, count) => [nonces, as many as it tried].
const SCANS = {};
const survivors = new Uint32Array(SURVIVORS);

SCANS.js = (midstate, tail, target, start, count) => {
	const prepared = homehash.prepare(midstate, tail);
	const zeroBits = swapped(~(target[0] ? 0xffffffff >>> Math.clz32(target[0]) : 0));
	const hits = [];
	let done = 0;
	while (done < count) {
		const found = homehash.scan(prepared, zeroBits, start + done, count - done, survivors);
		for (const nonce of survivors.subarray(0, found))
			if (meets(number(midstate, tail, nonce), target)) hits.push(nonce);
		done = found < SURVIVORS ? count : survivors[found - 1] - start + 1;
	}
	return [hits, count];
};

// The C library by its own interface, csrc/scan.h. Throws what a browser without SIMD throws.
function openWasm(bytes) {
	const C = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports;
	if (C.scan_version() !== 2) throw new Error(`scan.h of version ${C.scan_version()}`);
	const told = (at) => {
		const all = new Uint8Array(C.memory.buffer);
		return String.fromCharCode(...all.subarray(at, all.indexOf(0, at)));
	};
	const layout = {};
	for (let row = 0; C.scan_layout_name(row); row++) layout[told(C.scan_layout_name(row))] = C.scan_layout_bytes(row);
	let variant = 0;
	while (told(C.scan_variant_why_not(variant))) variant++;
	const least = C.scan_min_capacity(variant, 1), capacity = least + SURVIVORS;
	const HIT = layout["scan_hit"], base = C.__heap_base.value + 15 & ~15;
	const midstates = base, hashes = base + 32, task = base + 48, hits = task + layout["scan_task"] + 15 & ~15;
	const more = Math.ceil((hits + capacity * HIT - C.memory.buffer.byteLength) / 65536);
	if (more > 0) C.memory.grow(more);
	const view = new DataView(C.memory.buffer);
	const put = (at, words) => words.forEach((word, i) => view.setUint32(at + 4 * i, word, true));
	const field = (name) => task + layout[`scan_task.${name}`];

	return (midstate, tail, target, start, count) => {
		const found = [];
		put(midstates, midstate);
		put(field("midstates"), [midstates]);
		put(field("n_versions"), [1]);
		put(field("tail"), tail);
		put(field("target"), Uint32Array.from(target).reverse());
		let done = 0;
		while (done < count) {
			put(field("start"), [start + done, 0]);
			put(field("count"), [count - done, 0]);
			const n = C.scan_run(variant, task, hits, capacity, hashes), tried = view.getUint32(hashes, true);
			if (n < 0 || tried === 0) throw new Error(`scan_run: ${n}`);
			for (let i = 0; i < n; i++) found.push(view.getUint32(hits + i * HIT + layout["scan_hit.nonce"], true));
			done += tried;
		}
		return [found, done];
	};
}

// ---- Whether a way is right: the block of 3 January 2009, whose nonce everybody can look up, and an
// easy target that the plain SHA-256 meets some 30 times, in every lane.
const GENESIS = "01000000" + "00".repeat(32) + "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a" + "29ab5f49" + "ffff001d";
const GENESIS_NONCE = 2083236893, AROUND = 250;

function check(scan) {
	const header = Uint8Array.from(GENESIS.match(/../g), (pair) => parseInt(pair, 16));
	const midstate = compress(homehash.INIT, bigEndianWords(header, 0, 16)), tail = bigEndianWords(header, 64, 3);
	const start = GENESIS_NONCE - AROUND, count = 2 * AROUND + 1;
	for (const target of ["00000000ffff" + "0".repeat(52), "1" + "0".repeat(63)].map(targetWords)) {
		const wanted = [];
		for (let n = start; n < start + count; n++) if (meets(number(midstate, tail, n), target)) wanted.push(n);
		const found = scan(midstate, tail, target, start, count)[0].sort((a, b) => a - b);
		if (!wanted.includes(GENESIS_NONCE)) throw new Error("its SHA-256 misses the first block of all");
		if (String(found) !== String(wanted)) throw new Error(`it found ${found.length} of ${wanted.length} known answers`);
	}
	return scan;
}

let scan = null;

async function open(wasm) {
	let why = "";
	if (wasm) {
		try {
			const reply = await fetch("/hash.wasm");
			if (!reply.ok) throw new Error(`the server says ${reply.status}`);
			scan = check(openWasm(await reply.arrayBuffer()));
			return { kind: "ready", path: "wasm", why };
		} catch (error) {
			why = String(error.message || error).slice(0, 200);
		}
	}
	scan = check(SCANS.js);
	return { kind: "ready", path: "js", why };
}

function work({ header, target, start, count, tag }) {
	const began = performance.now(), words = targetWords(target);
	const midstate = compress(homehash.INIT, bigEndianWords(header, 0, 16)), tail = bigEndianWords(header, 64, 3);
	const [hits, hashes] = scan(midstate, tail, words, start, count);
	const wrong = hits.filter((nonce) => !meets(number(midstate, tail, nonce), words));
	if (wrong.length) throw new Error(`nonce ${wrong[0]} is no hit`);
	return { kind: "done", tag, hits, hashes, ms: performance.now() - began };
}

// WebAssembly that errs later is left, and its range tried again.
function workOn(data) {
	try {
		return work(data);
	} catch (error) {
		if (scan === SCANS.js) throw error;
		scan = check(SCANS.js);
		postMessage({ kind: "ready", path: "js", why: String(error.message || error).slice(0, 200) });
		return work(data);
	}
}

self.onmessage = async ({ data }) => {
	try {
		postMessage(data.kind === "open" ? await open(data.wasm) : workOn(data));
	} catch (error) {
		postMessage({ kind: "broken", why: String(error.message || error).slice(0, 200) });
	}
};
