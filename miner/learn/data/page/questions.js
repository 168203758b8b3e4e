// Questions that are typed into and judged, with a hint for the typical errors.

import { takes } from "./answers.js";
import { at } from "./draw.js";
import { fact, say } from "./words.js";

const TRIES = 2; // then the answer is shown, as on the terminal
const tally = { asked: 0, right: 0, done: 0 };

export function tellTally() {
	const place = at("tally");
	if (place) place.textContent = tally.done ? say("tally", tally) : say("tally_none", tally);
}

// One more answered; `right`: at the first try.
export function answered(right) {
	tally.done += 1;
	if (right) tally.right += 1;
	tellTally();
}

export function asked(count) {
	tally.asked += count;
	tellTally();
}

function open(place) {
	const form = place.querySelector("form");
	const field = form.querySelector("input");
	const told = form.querySelector("[role=status]");
	const solution = place.querySelector("details");
	const hints = JSON.parse(place.dataset.hints);
	let tries = 0;
	let settled = false;
	const settle = (right) => {
		if (!settled) answered(right);
		settled = true;
	};
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		const answer = field.value;
		if (!answer.trim()) {
			told.textContent = say("ask_empty");
			return;
		}
		const right = takes(place.dataset.rule, answer, fact("lang"));
		tries += 1;
		place.classList.toggle("right", right);
		const hint = hints.find(([rule]) => takes(rule, answer, fact("lang")));
		if (right) {
			settle(tries === 1);
			told.textContent = say("ask_right");
		} else {
			told.textContent = hint ? say("ask_hint", { hint: hint[1] }) : say("ask_wrong");
		}
		if (right || tries >= TRIES) {
			if (!right) settle(false);
			solution.open = true;
		}
	});
	form.hidden = false;
}

export function start() {
	const places = [...document.querySelectorAll(".ask[data-rule]")];
	places.forEach(open);
	asked(places.length);
}
