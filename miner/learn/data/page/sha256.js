// SHA-256 from FIPS 180-4, in whole 32-bit words; the tests compare it with hashlib.

const primes = (count) => {
	const found = [];
	for (let one = 2; found.length < count; one++) if (found.every((prime) => one % prime)) found.push(one);
	return found;
};

// The first 32 bits after the point of a root, by halving in exact integers.
function rootBits(prime, degree) {
	let low = 0n;
	let high = 1n << 40n;
	const scaled = BigInt(prime) << (32n * degree);
	while (high - low > 1n) {
		const middle = (low + high) >> 1n;
		if (middle ** degree <= scaled) low = middle;
		else high = middle;
	}
	return Number(low & 0xffffffffn);
}

export const K = Int32Array.from(primes(64), (prime) => rootBits(prime, 3n));
export const START = Int32Array.from(primes(8), (prime) => rootBits(prime, 2n));

export const rotr = (x, n) => (x >>> n) | (x << (32 - n));
export const bigSigma0 = (a) => rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
export const bigSigma1 = (e) => rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
export const smallSigma0 = (x) => rotr(x, 7) ^ rotr(x, 18) ^ (x >>> 3);
export const smallSigma1 = (x) => rotr(x, 17) ^ rotr(x, 19) ^ (x >>> 10);
export const ch = (e, f, g) => (e & f) ^ (~e & g);
export const maj = (a, b, c) => (a & b) ^ (a & c) ^ (b & c);

const W = new Int32Array(64);

// Stirs 16 words into a state; `out` receives the new one. `watch` receives every round:
// { t, w, t1, t2, before, after }, with the whole schedule in each.
export function compress(state, words, out = new Int32Array(8), watch = null) {
	for (let t = 0; t < 16; t++) W[t] = words[t];
	for (let t = 16; t < 64; t++) W[t] = W[t - 16] + smallSigma0(W[t - 15]) + W[t - 7] + smallSigma1(W[t - 2]);
	let a = state[0], b = state[1], c = state[2], d = state[3];
	let e = state[4], f = state[5], g = state[6], h = state[7];
	const schedule = watch ? Array.from(W) : null;
	for (let t = 0; t < 64; t++) {
		const t1 = (h + bigSigma1(e) + ch(e, f, g) + K[t] + W[t]) | 0;
		const t2 = (bigSigma0(a) + maj(a, b, c)) | 0;
		const before = watch ? [a, b, c, d, e, f, g, h] : null;
		h = g; g = f; f = e; e = (d + t1) | 0;
		d = c; c = b; b = a; a = (t1 + t2) | 0;
		if (watch) watch.push({ t, schedule, t1, t2, before, after: [a, b, c, d, e, f, g, h] });
	}
	out[0] = state[0] + a; out[1] = state[1] + b; out[2] = state[2] + c; out[3] = state[3] + d;
	out[4] = state[4] + e; out[5] = state[5] + f; out[6] = state[6] + g; out[7] = state[7] + h;
	return out;
}

// The message with its 1 bit, zeros and length in bits, cut into chunks of 16 words.
export function chunks(bytes) {
	const padded = new Uint8Array(((bytes.length + 72) >> 6) << 6);
	padded.set(bytes);
	padded[bytes.length] = 0x80;
	const view = new DataView(padded.buffer);
	view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
	view.setUint32(padded.length - 4, bytes.length * 8);
	const cut = [];
	for (let at = 0; at < padded.length; at += 64) cut.push(Int32Array.from({ length: 16 }, (_, i) => view.getInt32(at + 4 * i)));
	return cut;
}

export function sha256(bytes) {
	const state = START.slice();
	for (const words of chunks(bytes)) compress(state, words, state);
	return toBytes(state);
}

export const sha256d = (bytes) => sha256(sha256(bytes));

export function toBytes(words) {
	const out = new Uint8Array(4 * words.length);
	const view = new DataView(out.buffer);
	words.forEach((word, i) => view.setInt32(4 * i, word));
	return out;
}

export const hex = (bytes) => Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
export const unhex = (digits) => Uint8Array.from(digits.match(/../g) || [], (pair) => parseInt(pair, 16));
export const display = (bytes) => hex(Uint8Array.from(bytes).reverse()); // as people read a hash
export const word = (value) => (value >>> 0).toString(16).padStart(8, "0");
