// Any text and its hash.

import { at, bits, make } from "./draw.js";
import { chunks, hex, sha256 } from "./sha256.js";
import { count, fact, say } from "./words.js";

const LONGEST = 2 ** 20; // bytes: hashed between two letters without a wait
let last = null;

const ones = (byte) => byte.toString(2).replace(/0/g, "").length;
export const bytesOfText = () => (at("text-in") ? new TextEncoder().encode(at("text-in").value) : new Uint8Array());

function show() {
	const bytes = bytesOfText();
	if (bytes.length > LONGEST) {
		at("text-facts").textContent = say("text_long", { count: count(bytes.length), most: count(LONGEST) });
		return;
	}
	const hash = sha256(bytes);
	const digits = hex(hash);
	const changed = last ? hash.map((byte, i) => byte ^ last[i]) : new Uint8Array(32);
	const flipped = changed.reduce((sum, byte) => sum + ones(byte), 0);
	at("text-hash").textContent = digits;
	const rows = [hash, changed].map((one) => new DataView(one.buffer, one.byteOffset));
	at("text-bits").innerHTML = Array.from({ length: 8 }, (_, i) => bits(...rows.map((row) => row.getInt32(4 * i)))).join("");
	const told = [say("text_size", { bytes: count(bytes.length), chunks: count(chunks(bytes).length) }), say("text_zeros", { zeros: /^0*/.exec(digits)[0].length })];
	if (last && flipped) told.push(say("text_flipped", { flipped }));
	at("text-facts").replaceChildren(...told.map((one) => make("span", "", `${one} `)));
	last = hash;
}

export function start() {
	at("text-in").value = fact("text");
	at("text-in").addEventListener("input", show);
	show();
}
