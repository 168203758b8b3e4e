// The merkle tree of a few transactions: change one, and see which hashes change with it.

import { at, make } from "./draw.js";
import { display, sha256d } from "./sha256.js";
import { say } from "./words.js";

const MOST = 8;
const SLOT = 50; // of 400 for each of eight leaves
const BOX = 46;
const RISE = 58; // from level to level
const LONGEST = 200; // letters of a transaction

let texts = [];
let before = new Map(); // what stood where: "level/place" -> hash

const joined = (left, right) => sha256d(Uint8Array.of(...left, ...right));

// Every level from the leaves to the root; an odd one is paired with itself.
function levels(leaves) {
	const found = [leaves];
	while (found.at(-1).length > 1) {
		const below = found.at(-1);
		found.push(Array.from({ length: Math.ceil(below.length / 2) }, (_, i) => joined(below[2 * i], below[2 * i + 1] || below[2 * i])));
	}
	return found;
}

function place(tree, level, i) {
	const width = 2 ** level * SLOT;
	const all = tree[0].length * SLOT;
	const x = (400 - all) / 2 + Math.min(i * width + width / 2, all - SLOT / 2);
	return [x, 10 + BOX / 2 + (tree.length - 1 - level) * RISE];
}

function draw(tree, chosen) {
	const lines = [];
	const boxes = [];
	for (const [level, row] of tree.entries()) {
		for (const [i, hash] of row.entries()) {
			const [x, y] = place(tree, level, i);
			const onPath = chosen >> level === i;
			const needed = level < tree.length - 1 && (chosen >> level) + ((chosen >> level) % 2 ? -1 : 1) === i;
			const kind = onPath ? "path" : needed ? "branch" : "still";
			if (level < tree.length - 1) {
				const [up, over] = place(tree, level + 1, i >> 1);
				lines.push(`<path class="edge ${onPath ? "path" : ""}" d="M${x} ${y}L${up} ${over}"/>`);
			}
			boxes.push(`<rect class="box ${kind}" x="${x - BOX / 2}" y="${y - 15}" width="${BOX}" height="30" rx="${onPath ? 0 : 8}"/><text x="${x}" y="${y + 4.5}" text-anchor="middle">${display(hash).slice(0, 4)}</text>`);
		}
	}
	const svg = at("tree-picture");
	svg.setAttribute("viewBox", `0 0 400 ${20 + BOX + (tree.length - 1) * RISE}`);
	svg.innerHTML = lines.join("") + boxes.join("");
	svg.setAttribute("aria-label", say("tree_alt", { leaves: tree[0].length, levels: tree.length, root: display(tree.at(-1)[0]).slice(0, 8) }));
}

function tellBranch(tree, chosen) {
	const items = [];
	for (let level = 0; level < tree.length - 1; level++) {
		const i = chosen >> level;
		const other = tree[level][i ^ 1] || tree[level][i];
		const item = make("li", "", make("code", "long", display(other)));
		item.append(` ${say(tree[level][i ^ 1] ? (i % 2 ? "on_left" : "on_right") : "itself")}`);
		items.push(item);
	}
	at("tree-branch").replaceChildren(...items);
}

function show() {
	const chosen = Number(at("tree-chosen").value);
	const tree = levels(texts.map((text) => sha256d(new TextEncoder().encode(text))));
	const now = new Map(tree.flatMap((row, level) => row.map((hash, i) => [`${level}/${i}`, display(hash)])));
	const changed = [...now].filter(([key, hash]) => before.get(key) !== hash).length;
	if (changed && before.size === now.size) at("tree-told").textContent = say("tree_changed", { changed, all: now.size, branch: tree.length - 1 });
	before = now;
	draw(tree, chosen);
	tellBranch(tree, chosen);
	at("tree-root").textContent = display(tree.at(-1)[0]);
}

function choose() {
	at("tree-text").value = texts[Number(at("tree-chosen").value)];
	show();
}

function resize() {
	const size = Number(at("tree-size").value);
	const kept = Math.min(Math.max(at("tree-chosen").selectedIndex, 0), size - 1);
	texts = Array.from({ length: size }, (_, i) => texts[i] ?? (i ? say("tree_payment", { i }) : say("tree_coinbase")));
	at("tree-chosen").replaceChildren(...texts.map((_, i) => new Option(i ? say("tree_name", { i }) : say("tree_first"), i)));
	at("tree-chosen").selectedIndex = kept;
	at("tree-told").textContent = say("tree_size", { leaves: size, hashes: Math.ceil(Math.log2(size)) });
	choose();
}

export function start() {
	for (let size = 1; size <= MOST; size++) at("tree-size").append(new Option(size, size, size === MOST, size === MOST));
	at("tree-size").addEventListener("change", resize);
	at("tree-chosen").addEventListener("change", choose);
	at("tree-text").maxLength = LONGEST;
	at("tree-text").addEventListener("input", () => {
		texts[Number(at("tree-chosen").value)] = at("tree-text").value.slice(0, LONGEST);
		show();
	});
	resize();
}
