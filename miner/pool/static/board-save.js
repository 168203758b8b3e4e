// The board's pictures as files: drawn by the same functions at a fixed size, with the colours of
// the page written into them, so that they look the same anywhere.

import { attack, bars, income, line, waits } from "./board-charts.js";

const SIZE = { w: 1280, h: 640, em: 24 };
const INK = ["fill", "stroke", "opacity", "stroke-width", "font-family", "font-weight", "paint-order"];
const PICTURES = { "work-and-blocks": bars, income, waits, shares: (size, doc) => line(size, doc, doc.time_s) };

function frozen(svg) {
	const stage = document.createElement("div");
	stage.className = "stage";
	stage.append(svg);
	document.body.append(stage);
	for (const node of svg.querySelectorAll("*")) {
		const style = getComputedStyle(node);
		for (const name of INK) node.setAttribute(name, style.getPropertyValue(name));
		node.removeAttribute("class");
	}
	const ground = document.createElementNS(svg.namespaceURI, "rect");
	ground.setAttribute("width", SIZE.w);
	ground.setAttribute("height", SIZE.h);
	ground.setAttribute("fill", getComputedStyle(document.documentElement).getPropertyValue("--card").trim());
	svg.prepend(ground);
	svg.setAttribute("width", SIZE.w);
	svg.setAttribute("height", SIZE.h);
	stage.remove();
	return new XMLSerializer().serializeToString(svg);
}

function give(name, url) {
	const link = document.createElement("a");
	link.href = url;
	link.download = name;
	link.click();
}

export async function png(text) {
	const image = new Image();
	image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
	await image.decode();
	const canvas = document.createElement("canvas");
	[canvas.width, canvas.height] = [SIZE.w, SIZE.h];
	canvas.getContext("2d").drawImage(image, 0, 0);
	return canvas.toDataURL("image/png");
}

export function pictures(doc) {
	const made = doc.attack ? { ...PICTURES, attack } : PICTURES;
	return Object.entries(made).map(([name, draw]) => [name, frozen(draw(SIZE, doc))]);
}

export async function save(doc, kind) {
	for (const [name, text] of pictures(doc)) {
		const url = kind === "png" ? await png(text) : URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
		give(`class-${name}.${kind}`, url);
		if (kind === "svg") URL.revokeObjectURL(url);
	}
}
