// Searching nonces of one header: the first chunk once, then two compressions a try.

import { START, chunks, compress } from "./sha256.js";

const swap = (x) => ((x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24)) >>> 0;

// The eight words of a 256-bit number, highest first.
export const wordsOf = (number) => Uint32Array.from({ length: 8 }, (_, i) => Number((number >> BigInt(32 * (7 - i))) & 0xffffffffn));

export class Search {
	constructor(header) {
		const [first, tail] = chunks(header);
		this.middle = compress(START, first);
		this.tail = tail;
		this.state = new Int32Array(8);
		this.second = Int32Array.from({ length: 16 }, (_, i) => ({ 8: 0x80000000 | 0, 15: 256 })[i] || 0);
		this.hash = new Uint32Array(8); // of the last nonce: a number's words, highest first
	}

	// Hashes the header with this nonce; true when the hash is at most the target.
	meets(nonce, target) {
		this.tail[3] = swap(nonce);
		compress(this.middle, this.tail, this.state);
		this.second.set(this.state);
		compress(START, this.second, this.state);
		for (let i = 0; i < 8; i++) this.hash[i] = swap(this.state[7 - i]);
		return !isAbove(this.hash, target);
	}
}

function isAbove(words, others) {
	for (let i = 0; i < 8; i++) if (words[i] !== others[i]) return words[i] > others[i];
	return false;
}

// The logarithm to base 2 of a number's words; 0 for zero.
export function log2(words) {
	const first = words.findIndex((one) => one);
	return first < 0 ? 0 : 32 * (7 - first) + Math.log2(words[first] + (words[first + 1] || 0) / 2 ** 32);
}

// Which nonces were tried: runs [from, to), in order, so that none is tried twice.
export class Tried {
	constructor() {
		this.runs = [];
	}

	add(from, count = 1) {
		let start = from;
		let end = from + count;
		const apart = [];
		for (const [a, b] of this.runs) {
			if (b < start || a > end) apart.push([a, b]);
			else [start, end] = [Math.min(a, start), Math.max(b, end)];
		}
		this.runs = [...apart, [start, end]].sort((one, two) => one[0] - two[0]);
	}

	get count() {
		return this.runs.reduce((sum, [a, b]) => sum + b - a, 0);
	}

	// The first nonce at or after this one that was not tried, and how many follow it untried;
	// from 2^32 on it begins again at 0. null when there is none.
	free(from) {
		for (const start of [from, 0]) {
			let at = start;
			for (const [a, b] of this.runs) if (a <= at && at < b) at = b;
			if (at < 2 ** 32) {
				const next = this.runs.find(([a]) => a > at);
				return [at, (next ? next[0] : 2 ** 32) - at];
			}
		}
		return null;
	}
}
