// What the board says, in both languages, and numbers as each writes them.

import { count, duration, rate as plainRate, si as plainSi, many as plainMany } from "/words.js";
import { at, keep, say } from "/dom.js";

const WORDS = {
	en: {
		skip: "To the board", block: "Block", chain: "The chain", who: "Who mines", name: "name", rate: "rate", shares: "shares", blocks: "blocks",
		"sigma-told": "Rates are counted from shares, nobody's own word. ± is σ: in 68 of 100 cases the true rate is that near.",
		bars: "Work and luck", "of-work": "work", "of-blocks": "blocks",
		"bars-none": "No block yet. Each bar of work is a chance, not a turn.",
		"bars-told": "{q} of the work gives {q} ± {s} of {n} blocks; the more blocks, the closer.",
		income: "Income, coins", alone: "alone", "in-pool": "pool", fair: "by work",
		"income-told": "{q} of the work in {n} blocks: ± {solo} blocks alone, ± {pool} in the pool. The mean is the same.",
		"income-none": "No block yet: nobody has an income.",
		waits: "How long a block took", "waits-none": "At this rate a block takes {mean} on average.",
		"waits-told": "{n} waits, {mean} on average. Red: pure chance. A long wait makes no block due.",
		attack: "Two chains", line: "Every share, a dot on the line of numbers",
		"line-told": "A hash is a number: one zero bit more is half as likely. Left of the target it is a block.",
		"line-target": "target of a block", "line-bits": "zero bits", "line-none": "No share yet.",
		best: "Best hashes", "best-none": "No share yet.", bits: "{n} zero bits",
		join: "Join", "join-phone": "Phone or browser, on the same network:", "join-computer": "A computer with homehash:", "join-miner": "Any Stratum miner:",
		beside: "How many times as much?", network: "Bitcoin",
		words: "private class chain; its coins exist only here",
		sources: "Machines by miner's table of hardware; network of {date}.",
		"tip-told": "since it was found", "tip-none": "no block yet",
		"difficulty-1": "Difficulty 1, as in January 2009: 4.29 billion hashes a block, unchanged for 4,031 blocks.",
		"difficulty": "Difficulty {d}: a block takes {n} hashes on average.",
		"difficulty-easy": "Class target: a block takes {n} hashes on average (difficulty {d}).",
		"total-told": "all together, counted from shares; a block about every {mean}", "total-none": "all together: no share yet",
		"mode-solo": "Solo race", "told-solo": "Who finds a block gets all of it: each job pays an output made from its miner's name. Nobody can ever spend these coins.",
		"mode-pool": "Pool", "told-pool": "All work on one coinbase; each block is shared out by the last shares (PPLNS), whoever found it.",
		"mode-attack": "Attack", "told-attack": "The class is split: A extends the chain that all see, B another one from the same block. Every node follows the one with more work.",
		paused: "paused", "member-paused": "paused", away: "left", page: "{from}–{to} of {of}",
		"chain-none": "No block yet: the genesis block waits for a child.",
		"attack-none": "Nobody is split yet: the teacher makes two sides.",
		"attack-followed": "every node follows it", "attack-begin": "Both sides stand on block {h}: which chain will have more work?", "attack-ahead": "B is {n} ahead.", "attack-level": "Level: nodes stay with the chain they saw first.", "attack-behind": "B is {n} behind.",
		"attack-chance": "B has {q} of the hashing. From here it gets ahead with a chance of {p}.",
		"attack-majority": "B has {q} of the hashing: more than half gets ahead sooner or later, however far behind.",
		"attack-won": "Reorganised: {n} blocks of {s} are undone. Whoever was paid in them has nothing.",
		"attack-why": "A node follows the chain with the most work, not the oldest, not the honest one.",
		side: "side {s}", others: "{n} others", replay: "replay, {speed} times as fast, {at} of {of}", ended: "end of the replay",
		gone: "The board has heard nothing for {s}. These are its last numbers.", theme: "Theme: {t}", auto: "auto", light: "light", dark: "dark",
		"save-svg": "Pictures as SVG", "save-png": "as PNG", title: "Block {h} · homehash class", nobody: "nobody yet", count: "blocks", "one-in": "1 in {n}",
		device: "device", desk: "The teacher's desk", "desk-told": "This page is for you: the class sees the board. Its address opens it on this computer alone; keep it off the projector.",
		"desk-mode": "Mode", "desk-part": "Side B's part of the hashing, in an attack:", "desk-split": "Split anew", "desk-class": "The class",
		"desk-pause": "Pause all", "desk-go-on": "Go on", "desk-pause-one": "Pause", "desk-pause-told": "In a pause neither shares nor blocks count: the chain stands still.", "desk-reset": "Scores to zero", "desk-reset-told": "The chain and the members stay. Who was removed may come back.",
		"desk-difficulty": "Difficulty: a block about every", "desk-hard": "The difficulty is the chain's own. Started with --easy, the class has one that can be set here.",
		"desk-show": "Large on the board", "desk-show-told": "On the board itself the keys 1 to 9 do the same, 0 shows all.", "desk-all": "All",
		"desk-refused": "refused", "desk-side": "side", "desk-other-side": "Other side", "desk-nobody": "Nobody yet. They join by what the board shows.",
		"desk-keep": "Keep the session", "desk-session": "Session (JSON), to show it again", "desk-members": "Members (CSV)", "desk-blocks": "Blocks (CSV)", "desk-shares": "Shares (CSV)",
		"desk-again": "Later, without the class:", "desk-rename": "Rename", "desk-remove": "Remove", "desk-remove-told": "{name} is sent out, and may come back after the scores are set to zero.",
		"desk-yes": "Do it", "desk-no": "Leave it", "desk-lost": "The class does not answer: does it still run?",
	},
	de: {
		skip: "Zur Tafel", block: "Block", chain: "Die Kette", who: "Wer schürft", name: "Name", rate: "Rate", shares: "Shares", blocks: "Blöcke",
		"sigma-told": "Raten sind aus Shares gezählt, niemand sagt sie selbst. ± ist σ: In 68 von 100 Fällen liegt die wahre Rate so nah.",
		bars: "Arbeit und Glück", "of-work": "Arbeit", "of-blocks": "Blöcke",
		"bars-none": "Noch kein Block. Arbeit ist eine Chance, man kommt nicht der Reihe nach dran.",
		"bars-told": "{q} der Arbeit bringen {q} ± {s} von {n} Blöcken; je mehr Blöcke, desto näher.",
		income: "Münzen", alone: "allein", "in-pool": "Pool", fair: "nach Arbeit",
		"income-told": "{q} der Arbeit in {n} Blöcken: ± {solo} Blöcke allein, ± {pool} im Pool. Das Mittel ist gleich.",
		"income-none": "Noch kein Block: Niemand hat ein Einkommen.",
		waits: "Wie lange ein Block dauerte", "waits-none": "Bei dieser Rate dauert ein Block im Mittel {mean}.",
		"waits-told": "{n} Zeiten, im Mittel {mean}. Rot: reiner Zufall. Langes Warten macht keinen Block fällig.",
		attack: "Zwei Ketten", line: "Jeder Share ein Punkt auf der Zahlengeraden",
		"line-told": "Ein Hash ist eine Zahl: Ein Nullbit mehr ist halb so wahrscheinlich. Links vom Ziel ist er ein Block.",
		"line-target": "Ziel eines Blocks", "line-bits": "Nullbits", "line-none": "Noch kein Share.",
		best: "Beste Hashes", "best-none": "Noch kein Share.", bits: "{n} Nullbits",
		join: "Mitmachen", "join-phone": "Handy oder Browser, im selben Netz:", "join-computer": "Rechner mit homehash:", "join-miner": "Jeder Stratum-Miner:",
		beside: "Wievielmal so viel?", network: "Bitcoin",
		words: "private Klassenkette; ihre Münzen gibt es nur hier",
		sources: "Geräte nach der Tabelle von miner; Netz vom {date}.",
		"tip-told": "seit seinem Fund", "tip-none": "noch kein Block",
		"difficulty-1": "Schwierigkeit 1 wie im Januar 2009, 4031 Blöcke lang: 4,29 Mrd. Hashes je Block.",
		"difficulty": "Schwierigkeit {d}: Ein Block braucht im Mittel {n} Hashes.",
		"difficulty-easy": "Klassenziel: Ein Block braucht im Mittel {n} Hashes (Schwierigkeit {d}).",
		"total-told": "alle zusammen, aus Shares gezählt; ein Block etwa alle {mean}", "total-none": "alle zusammen: noch kein Share",
		"mode-solo": "Jeder für sich", "told-solo": "Wer einen Block findet, bekommt ihn ganz: Jeder Auftrag zahlt an eine Ausgabe aus dem Namen. Niemand kann diese Münzen je ausgeben.",
		"mode-pool": "Pool", "told-pool": "Alle arbeiten an einer Coinbase; jeder Block wird nach den letzten Shares geteilt (PPLNS), gleich wer ihn fand.",
		"mode-attack": "Angriff", "told-attack": "Die Klasse ist geteilt: A verlängert die Kette, die alle sehen, B eine andere vom selben Block aus. Jeder Knoten folgt der mit mehr Arbeit.",
		paused: "Pause", "member-paused": "Pause", away: "gegangen", page: "{from}–{to} von {of}",
		"chain-none": "Noch kein Block: Der Genesisblock wartet auf ein Kind.",
		"attack-none": "Noch ist niemand geteilt: Die Lehrkraft bildet zwei Seiten.",
		"attack-followed": "ihr folgt jeder Knoten", "attack-begin": "Beide Seiten stehen auf Block {h}: Welche Kette wird mehr Arbeit haben?", "attack-ahead": "B liegt {n} vorn.", "attack-level": "Gleichstand: Knoten bleiben bei der Kette, die sie zuerst sahen.", "attack-behind": "B liegt {n} zurück.",
		"attack-chance": "B hat {q} der Hashleistung. Von hier kommt es mit Chance {p} nach vorn.",
		"attack-majority": "B hat {q} der Hashleistung: Mehr als die Hälfte kommt früher oder später nach vorn, gleich wie weit sie zurückliegt.",
		"attack-won": "Reorganisiert: {n} Blöcke von {s} sind aufgehoben. Wer darin bezahlt wurde, hat nichts.",
		"attack-why": "Ein Knoten folgt der Kette mit der meisten Arbeit, nicht der ältesten und nicht der ehrlichen.",
		side: "Seite {s}", others: "{n} andere", replay: "Wiedergabe, {speed}-mal so schnell, {at} von {of}", ended: "Ende der Wiedergabe",
		gone: "Die Tafel hat seit {s} nichts gehört. Das sind ihre letzten Zahlen.", theme: "Farben: {t}", auto: "System", light: "hell", dark: "dunkel",
		"save-svg": "Bilder als SVG", "save-png": "als PNG", title: "Block {h} · homehash-Klasse", nobody: "noch niemand", count: "Blöcke", "one-in": "1 zu {n}",
		device: "Gerät", desk: "Lehrerpult", "desk-told": "Diese Seite ist für Sie: Die Klasse sieht die Tafel. Ihre Adresse öffnet sie nur an diesem Rechner; zeigen Sie sie nicht am Projektor.",
		"desk-mode": "Modus", "desk-part": "Anteil der Seite B an der Hashleistung, im Angriff:", "desk-split": "Neu teilen", "desk-class": "Die Klasse",
		"desk-pause": "Pause für alle", "desk-go-on": "Weiter", "desk-pause-one": "Pause", "desk-pause-told": "In der Pause zählen weder Shares noch Blöcke: Die Kette steht still.", "desk-reset": "Punkte auf null", "desk-reset-told": "Kette und Teilnehmer bleiben. Wer entfernt wurde, darf wiederkommen.",
		"desk-difficulty": "Schwierigkeit: ein Block etwa alle", "desk-hard": "Die Schwierigkeit ist die der Kette. Mit --easy gestartet, hat die Klasse eine eigene, die hier gesetzt wird.",
		"desk-show": "Groß an der Tafel", "desk-show-told": "An der Tafel selbst tun die Tasten 1 bis 9 dasselbe, 0 zeigt alles.", "desk-all": "Alles",
		"desk-refused": "abgelehnt", "desk-side": "Seite", "desk-other-side": "Andere Seite", "desk-nobody": "Noch niemand. Wie man mitmacht, zeigt die Tafel.",
		"desk-keep": "Die Stunde aufheben", "desk-session": "Sitzung (JSON), um sie wieder zu zeigen", "desk-members": "Teilnehmer (CSV)", "desk-blocks": "Blöcke (CSV)", "desk-shares": "Shares (CSV)",
		"desk-again": "Später, ohne die Klasse:", "desk-rename": "Umbenennen", "desk-remove": "Entfernen", "desk-remove-told": "{name} wird hinausgeschickt und darf wiederkommen, wenn die Punkte auf null gesetzt sind.",
		"desk-yes": "Tun", "desk-no": "Lassen", "desk-lost": "Die Klasse antwortet nicht: Läuft sie noch?",
	},
};
const LARGE = [[" trillion", " Billionen"], [" billion", " Milliarden"], [" million", " Millionen"], [" thousand", " Tausend"]];
const asked = new URLSearchParams(location.search).get("lang");

export let lang = asked in WORDS ? asked : keep.get("class.lang", navigator.language.startsWith("de") ? "de" : "en");
if (!(lang in WORDS)) lang = "en";

export function speak(other) {
	lang = other;
	keep.set("class.lang", lang);
}

// German writes 1.234,5 where English writes 1,234.5.
function local(text) {
	if (lang !== "de") return text;
	for (const [english, german] of LARGE) text = text.replace(english, german);
	return text.replace(/[.,](?=\d)/g, (sign) => (sign === "." ? "," : "."));
}

export function t(name, values = {}) {
	return WORDS[lang][name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

export const rate = (value) => local(plainRate(value));
export const si = (value, unit = "") => local(plainSi(value, unit));
export const many = (value) => local(plainMany(value));
export const number = (value) => local(count(value));
export const decimal = (value, places = 1) => local(value.toFixed(places));
export const span = (s) => (s < 9.95 ? `${decimal(s, s % 1 ? 1 : 0)} s` : local(duration(s)));
export const part = (value) => local(`${(100 * value).toFixed(value < 0.095 && value > 0 ? 1 : 0)} %`);
export const chance = (p) => (p > 0.995 && p < 1 ? local("99.5 % +") : p > 0 && p < 0.001 ? t("one-in", { n: many(1 / p) }) : part(p));
// A rate's σ in the rate's own unit: 12.3 ± 1.2.
export const sigma = (value) => (value === null ? "" : `± ${si(value)}`.trimEnd());

// The page's own words in the language of now, and the button that offers the other one.
export function speakPage() {
	document.documentElement.lang = lang;
	for (const node of document.querySelectorAll("[data-say]")) say(node, t(node.dataset.say));
	say(at("lang"), lang === "de" ? "English" : "Deutsch");
	at("lang").lang = lang === "de" ? "en" : "de";
}
