// Starts every tool that this page has. The same script, in a worker, measures its speed.

import * as answers from "./answers.js";
import * as bench from "./bench.js";
import { at } from "./draw.js";
import * as nbits from "./nbits.js";
import * as numbers from "./numbers.js";
import * as questions from "./questions.js";
import * as retarget from "./retarget.js";
import * as rounds from "./rounds.js";
import * as search from "./search.js";
import * as sha256 from "./sha256.js";
import * as speed from "./speed.js";
import * as text from "./text.js";
import * as tree from "./tree.js";
import { learnFacts } from "./words.js";

const TOOLS = { text, bench, rounds, nbits, retarget, tree, speed };

function begin() {
	learnFacts(JSON.parse(at("facts").textContent));
	for (const [name, tool] of Object.entries(TOOLS)) {
		const place = at(`tool-${name}`);
		if (!place) continue;
		tool.start();
		place.hidden = false;
	}
	for (const one of document.querySelectorAll(".needs-script")) one.hidden = false;
	questions.start();
}

if (typeof document === "undefined") onmessage = speed.work;
else begin();
globalThis.homehash = { answers, numbers, retarget, search, sha256 }; // for the tests
