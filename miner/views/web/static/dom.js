// Small helpers for the page. Texts of others only ever become textContent: never markup.

export const at = (id) => document.getElementById(id);

export function el(tag, name = "", text = null, ...kids) {
	const node = document.createElement(tag);
	if (name) node.className = name;
	if (text !== null) node.textContent = text;
	node.append(...kids);
	return node;
}

// Writes only what changed: a reader of the screen is not told the same thing again.
export function say(node, text) {
	if (node.textContent !== text) node.textContent = text;
}

export function show(node, yes) {
	if (node.hidden === yes) node.hidden = !yes;
}

// One child a row, kept by its key: nothing is made anew that is there already.
export function rows(parent, list, key, make, fill) {
	const have = new Map([...parent.children].map((node) => [node.dataset.key, node]));
	list.forEach((row, place) => {
		const name = String(key(row, place));
		let node = have.get(name);
		have.delete(name);
		if (!node) {
			node = make(row);
			node.dataset.key = name;
		}
		if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] || null);
		fill(node, row, place);
	});
	for (const node of have.values()) node.remove();
}

export function cells(line, texts) {
	texts.forEach((text, place) => say(line.children[place], text));
}

// The clipboard is not there over plain http: then the text is selected for the keys.
export async function copy(field, told) {
	try {
		await navigator.clipboard.writeText(field.value);
		say(told, "copied");
	} catch {
		field.focus();
		field.select();
		let done = false;
		try { done = document.execCommand("copy"); } catch { /* no such command */ }
		say(told, done ? "copied" : "selected: copy it with the keys or the menu");
	}
}

// What this browser remembers; a browser that forbids it forgets.
export const keep = {
	get(name, otherwise = "") {
		try { return localStorage.getItem(`homehash.${name}`) ?? otherwise; } catch { return otherwise; }
	},
	set(name, value) {
		try { localStorage.setItem(`homehash.${name}`, value); } catch { /* forbidden */ }
	},
};
