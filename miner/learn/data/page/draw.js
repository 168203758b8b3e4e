// Pieces that several tools draw: elements, rows of bits, errors beside a field.

import { word } from "./sha256.js";
import { Wrong } from "./numbers.js";

export const at = (id) => document.getElementById(id);
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// An element with its class and content: text, or other elements.
export function make(name, kind = "", ...content) {
	const one = document.createElement(name);
	if (kind) one.className = kind;
	one.append(...content);
	return one;
}

const BIT = 10;
const square = (place, edge) => `M${place * BIT + (place >> 3) * 6 + edge} ${edge}h${8 - 2 * edge + 1}v${10 - 2 * edge}h-${8 - 2 * edge + 1}z`;

// A word's 32 bits, highest first: filled where 1, framed anew where `changed` has a 1.
export function bits(value, changed = 0) {
	const places = Array.from({ length: 32 }, (_, i) => i);
	const path = (kind, wanted, edge) => {
		const chosen = places.filter((i) => (wanted >>> (31 - i)) & 1);
		return chosen.length ? `<path class="${kind}" d="${chosen.map((i) => square(i, edge)).join("")}"/>` : "";
	};
	return `<svg class="bits" viewBox="-1 -1 340 12" aria-hidden="true">${path("off", -1, 0)}${path("on", value, 0)}${path("new", changed, 0)}</svg>`;
}

// Rows of words: name, hex, bits and what it is. The hex is what a screen reader hears.
export function wordRows(place, rows) {
	place.innerHTML = rows
		.map(([name, value, changed = 0, what = ""]) => `<li><b>${name}</b> <code>${word(value)}</code> ${bits(value, changed)}${what && `<span>${what}</span>`}</li>`)
		.join("");
}

// Runs `act`; what it finds wrong is told beside the field, in one line. Whether all was right.
export function guarded(field, act) {
	const told = at(`${field.id}-wrong`);
	let message = "";
	try {
		act();
	} catch (error) {
		if (!(error instanceof Wrong)) throw error;
		message = error.message;
	}
	told.textContent = message;
	field.setAttribute("aria-invalid", String(Boolean(message)));
	return !message;
}

// Does `work` in slices of a few milliseconds until it says false; gives a function that stops it.
export function inSlices(work, slice = 12) {
	let going = true;
	const turn = () => {
		const end = performance.now() + slice;
		while (going && performance.now() < end) going = work();
		if (going) setTimeout(turn, 0);
	};
	setTimeout(turn, 0);
	return () => {
		going = false;
	};
}

// A text for an SVG that stays within 0 .. 400; about 7.4 wide a letter.
export function label(x, y, text) {
	const half = 3.7 * text.length;
	return `<text x="${Math.min(Math.max(x, half), 400 - half).toFixed(1)}" y="${y}" text-anchor="middle">${text}</text>`;
}
