// Questions that are answered by typing or choosing, with a hint for the typical mistakes.

import { takes } from "./answers.js";
import { at } from "./draw.js";
import { fact, say } from "./words.js";

const TRIES = 2; // then the answer is shown, as on the terminal
const tally = { asked: 0, right: 0, done: 0 };

function tellTally() {
	const place = at("tally");
	if (place) place.textContent = tally.done ? say("tally", tally) : say("tally_none", tally);
}

// One more answered; `right`: at the first try.
function answered(right) {
	tally.done += 1;
	if (right) tally.right += 1;
	tellTally();
}

// What an answer is worth: { right, hint }; null when there is none yet.
function typed(place) {
	const { rule, hints } = place.dataset;
	const answer = place.querySelector("input").value;
	const by = (one) => takes(one, answer, fact("lang"));
	if (!answer.trim()) return null;
	const hint = JSON.parse(hints).find(([typical]) => by(typical));
	return { right: by(rule), hint: hint ? hint[1] : "" };
}

function picked(place) {
	const chosen = place.querySelector("input:checked");
	if (!chosen) return null;
	const mistake = JSON.parse(place.dataset.mistakes)[Number(chosen.value)];
	return { right: mistake === null, hint: mistake };
}

function open(place, judge, empty) {
	const form = place.querySelector("form");
	const told = form.querySelector("[role=status]");
	const solution = place.querySelector("details");
	let tries = 0;
	let settled = false;
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		const found = judge(place);
		if (!found) {
			told.textContent = say(empty);
			return;
		}
		const { right, hint } = found;
		tries += 1;
		place.classList.toggle("right", right);
		if (right) told.textContent = say("ask_right");
		else told.textContent = hint ? say("ask_hint", { hint }) : say("ask_wrong");
		if (!right && tries < TRIES) return;
		solution.open = true;
		if (!settled) answered(right && tries === 1);
		settled = true;
	});
	form.hidden = false;
	form.querySelector("button").hidden = false;
}

export function start() {
	const rules = document.querySelectorAll(".ask[data-rule]");
	const choices = document.querySelectorAll(".ask[data-mistakes]");
	for (const place of rules) open(place, typed, "ask_empty");
	for (const place of choices) open(place, picked, "ask_pick");
	tally.asked = rules.length + choices.length;
	tellTally();
}
