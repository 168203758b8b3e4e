// The teacher's desk. Its address holds the token, which every order repeats in a header.

import { at, el, rows, say, show } from "/dom.js";
import { follow } from "/wire.js";
import { attackTold } from "/board-charts.js";
import { lang, number, rate, span, speak, speakPage, t } from "/board-words.js";
import { save } from "/board-save.js";

const TOKEN = location.pathname.split("/")[1];
const MODES = ["solo", "pool", "attack"];
const SECONDS = [5, 10, 20, 40, 90];
const CARDS = ["", "chain", "who", "bars", "income", "waits", "attack", "line", "best", "join", "beside"];

let doc = null;

async function order(told) {
	let text = "";
	try {
		const answer = await fetch(`/${TOKEN}/do`, {
			method: "POST",
			headers: { "content-type": "application/json", "x-desk-token": TOKEN },
			body: JSON.stringify(told),
		});
		if (!answer.ok) text = (await answer.json()).error;
	} catch {
		text = t("desk-lost");
	}
	say(at("error"), text);
	show(at("error"), Boolean(text));
}

// A question before what cannot be taken back; gives the name for a renaming.
function ask(title, told, name = null) {
	const box = at("ask");
	say(at("ask-title"), title);
	say(at("ask-told"), told);
	show(at("ask-label"), name !== null);
	at("ask-name").value = name ?? "";
	box.returnValue = "no";
	box.showModal();
	return new Promise((resolve) => {
		box.onclose = () => resolve(box.returnValue === "yes" ? at("ask-name").value || true : null);
	});
}

function choice(place, list, words, pressed, act) {
	rows(place, list, (one) => one, (one) => {
		const button = el("button");
		button.addEventListener("click", () => act(one));
		return button;
	}, (button, one) => {
		say(button, words(one));
		button.setAttribute("aria-pressed", String(pressed(one)));
	});
}

function toMode(mode) {
	order({ do: "mode", mode, ...(mode === "attack" ? { part: Number(at("part").value) / 100 } : {}) });
}

function buttons(m) {
	const made = (name, act) => {
		const button = el("button", "small");
		button.dataset.name = name;
		button.addEventListener("click", act);
		return button;
	};
	const now = () => doc.members.find((one) => one.number === m.number);
	return el("td", "", null,
		made("pause", () => order({ do: "pause", number: m.number, paused: !now().paused })),
		made("rename", async () => {
			const name = await ask(t("desk-rename"), "", now().name);
			if (name) order({ do: "rename", number: m.number, name });
		}),
		made("remove", async () => {
			if (await ask(t("desk-remove"), t("desk-remove-told", { name: now().name }))) order({ do: "remove", number: m.number });
		}),
		made("side", () => order({ do: "side", number: m.number, side: now().side === "A" ? "B" : "A" })));
}

function members() {
	const list = [...doc.members].sort((a, b) => Number(b.here) - Number(a.here) || a.number - b.number);
	rows(at("members").tBodies[0], list, (m) => m.number, (m) => el("tr", "", null, el("td"), el("td", "words"), el("td"), el("td"), el("td"), el("td"), el("td", "words"), buttons(m)), (line, m) => {
		line.className = m.here ? "" : "away";
		const told = [m.name, m.device, rate(m.rate_hs), number(m.accepted), number(m.refused), number(m.blocks), m.here ? m.side || "–" : t("away")];
		told.forEach((text, place) => say(line.children[place], text));
		line.children[1].title = m.device;
		for (const button of line.lastChild.children) {
			const name = button.dataset.name;
			say(button, name === "pause" && m.paused ? t("desk-go-on") : name === "pause" ? t("desk-pause-one") : name === "side" ? t("desk-other-side") : t(`desk-${name}`));
			show(button, name === "side" ? doc.mode === "attack" && m.here : m.here);
		}
	});
	show(at("nobody"), !list.length);
	say(at("count"), list.length ? number(list.filter((m) => m.here).length) : "");
}

function all() {
	if (!doc) return;
	const tip = doc.chain.tip_age_s === null ? t("tip-none") : `${t("title", { h: number(doc.chain.height) }).split(" · ")[0]}, ${span(Math.floor(doc.chain.tip_age_s))} ${t("tip-told")}`;
	say(at("state"), `${tip}; ${rate(doc.total.rate_hs)}${doc.paused ? `; ${t("paused")}` : ""}`);
	choice(at("modes"), MODES, (mode) => t(`mode-${mode}`), (mode) => doc.mode === mode, toMode);
	say(at("mode-told"), t(`told-${doc.mode}`));
	show(at("attack-row"), true);
	show(at("split"), doc.mode === "attack");
	show(at("attack-told"), Boolean(doc.attack));
	if (doc.attack) say(at("attack-told"), attackTold(doc.attack));
	at("pause").setAttribute("aria-pressed", String(doc.paused));
	say(at("pause"), doc.paused ? t("desk-go-on") : t("desk-pause"));
	show(at("easy"), doc.easy);
	show(at("hard"), !doc.easy);
	choice(at("seconds"), SECONDS, (s) => span(s), () => false, (seconds) => order({ do: "difficulty", seconds }));
	choice(at("show"), CARDS, (card) => (card ? t(card) : t("desk-all")), (card) => doc.focus === card, (card) => order({ do: "show", card }));
	say(at("words"), t("words"));
	members();
}

function take(news) {
	doc = news;
	show(at("gone"), false);
	all();
}

function silent(s) {
	show(at("gone"), s > 5);
	say(at("gone"), t("gone", { s: span(Math.floor(s)) }));
}

function speakAll() {
	speakPage();
	all();
}

at("lang").addEventListener("click", () => {
	speak(lang === "de" ? "en" : "de");
	speakAll();
});
at("pause").addEventListener("click", () => order({ do: "pause", paused: !doc.paused }));
at("split").addEventListener("click", () => order({ do: "split", part: Number(at("part").value) / 100 }));
at("reset").addEventListener("click", async () => {
	if (await ask(t("desk-reset"), t("desk-reset-told"))) order({ do: "reset" });
});
for (const kind of ["svg", "png"]) at(`save-${kind}`).addEventListener("click", () => doc && save(doc, kind));
speakAll();
follow({ stream: `/${TOKEN}/events`, status: `/${TOKEN}/room`, take, silent, woken: () => {} });
