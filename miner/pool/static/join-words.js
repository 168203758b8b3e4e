// What the join page says, in English and German: by the browser's language.
const EN = {
	"title": "Mine together",
	"intro": "Your device searches for blocks of the class's chain, in this page alone: nothing is installed, and closing the page ends it.",
	"name": "Your name", "start": "Start", "stop": "Stop", "pause": "Pause", "resume": "Go on",
	"name-hint": "Up to 24 letters. Everybody in the room sees it.",
	"accepted": "Shares accepted", "refused": "Refused", "blocks": "Blocks found", "best": "Best hash",
	"work": "The work", "log": "What happened", "good-to-know": "Good to know",
	"duty": "How hard this device works",
	"rate-told": "measured on this device, {workers} at work",
	"worker": "one core", "workers": "{n} cores",
	"best-told": "The smaller the hash the better: {bits} zero bits in front, once in {hashes} hashes.",
	"work-told": "Block {height}. A share needs {hashes} hashes on average, about {wait} here.",
	"chain-private": "Private class chain by the rules of {chain}; its coins exist only here.",
	"note-hidden": "It pauses while this page is hidden or the screen is off: browsers slow hidden pages down.",
	"awake": "The screen stays on while you mine.",
	"asleep": "This browser does not let this page keep the screen on: set its time-out higher, or touch it now and then.",
	"battery": "Hashing takes power and makes the device warm. Plug it in, or let it work less hard.",
	"battery-level": "Hashing takes power and makes the device warm: {percent} % are left, and nothing is plugged in.",
	"path-wasm": "Hashed by the miner's own C code, as WebAssembly.",
	"path-js": "Hashed by JavaScript.",
	"path-js-why": "Hashed by JavaScript, as WebAssembly did not work here ({why}).",
	"path-broken": "This browser computes wrong hashes, so it cannot mine ({why}).",
	"state-connecting": "Connecting …", "state-mining": "Mining", "state-waiting": "Waiting for work",
	"state-paused": "Paused by you", "state-hidden": "Paused: the page is hidden",
	"state-teacher": "Paused by the teacher", "state-stopped": "Stopped",
	"state-lost": "The teacher's computer does not answer; trying again by itself",
	"state-moved": "This device mines in another tab now", "state-removed": "The teacher has taken you out",
	"state-broken": "Cannot mine",
	"log-share": "Share accepted, difficulty {difficulty}",
	"log-block": "A BLOCK! You found block {height}",
	"log-entered": "You are in, as {name}",
	"log-back": "The teacher's computer is back",
	"log-found": "{name} found block {height}",
	"answer-stale": "Refused: too late, somebody had found a block already",
	"answer-duplicate": "Refused: this share was sent before",
	"answer-low": "Refused: the hash is not small enough",
	"answer-unknown_job": "Refused: the work is too old",
	"answer-paused": "Refused: the class is paused",
	"answer-unauthorized": "Refused: this device is not known any more",
	"answer-other": "Refused: {why}",
	"trouble-full": "The room is full: 64 phones are in. Ask the teacher.",
	"trouble-removed": "The teacher has taken this name out. Ask to be let in again.",
	"trouble-fast": "Too much at once from this device; it goes on in a moment.",
	"trouble-other": "It did not work: {why}",
	"trouble-unreachable": "The teacher's computer does not answer. Are you in the same Wi-Fi?",
};

const DE = {
	"title": "Gemeinsam schürfen",
	"intro": "Dein Gerät sucht Blöcke für die Kette der Klasse, nur in dieser Seite: Nichts wird installiert, und mit der Seite endet es.",
	"name": "Dein Name", "start": "Los", "stop": "Aufhören", "pause": "Pause", "resume": "Weiter",
	"name-hint": "Höchstens 24 Zeichen. Alle im Raum sehen ihn.",
	"accepted": "Gute Shares", "refused": "Abgelehnt", "blocks": "Blöcke", "best": "Bester Hash",
	"work": "Die Arbeit", "log": "Was geschah", "good-to-know": "Gut zu wissen",
	"duty": "Wie viel dieses Gerät arbeitet",
	"rate-told": "gemessen auf diesem Gerät, {workers}",
	"worker": "ein Kern arbeitet", "workers": "{n} Kerne arbeiten",
	"best-told": "Je kleiner der Hash, desto besser: vorn {bits} Nullbits, einmal in {hashes} Hashes.",
	"work-told": "Block {height}. Ein Share braucht im Mittel {hashes} Hashes, hier etwa {wait}.",
	"chain-private": "Private Kette der Klasse nach den Regeln von {chain}; ihre Coins gibt es nur hier.",
	"note-hidden": "Es pausiert, solange diese Seite verdeckt oder der Bildschirm aus ist: Browser bremsen verdeckte Seiten.",
	"awake": "Der Bildschirm bleibt an, solange du schürfst.",
	"asleep": "Dieser Browser lässt die Seite den Bildschirm nicht anlassen: Stelle ihn länger ein, oder tippe ab und zu.",
	"battery": "Hashen braucht Strom und macht das Gerät warm. Steck es ein, oder lass es weniger arbeiten.",
	"battery-level": "Hashen braucht Strom und macht das Gerät warm: noch {percent} %, und es ist nicht eingesteckt.",
	"path-wasm": "Gerechnet wird mit dem C-Code des Miners, als WebAssembly.",
	"path-js": "Gerechnet wird mit JavaScript.",
	"path-js-why": "Gerechnet wird mit JavaScript, weil WebAssembly hier nicht ging ({why}).",
	"path-broken": "Dieser Browser rechnet falsche Hashes und kann nicht schürfen ({why}).",
	"state-connecting": "Verbinde …", "state-mining": "Schürft", "state-waiting": "Wartet auf Arbeit",
	"state-paused": "Pause von dir", "state-hidden": "Pause: die Seite ist verdeckt",
	"state-teacher": "Pause von der Lehrkraft", "state-stopped": "Aufgehört",
	"state-lost": "Der Rechner der Lehrkraft antwortet nicht; es versucht es von selbst weiter",
	"state-moved": "Dieses Gerät schürft jetzt in einem anderen Tab", "state-removed": "Die Lehrkraft hat dich herausgenommen",
	"state-broken": "Kann nicht schürfen",
	"log-share": "Share angenommen, Schwierigkeit {difficulty}",
	"log-block": "EIN BLOCK! Du hast Block {height} gefunden",
	"log-entered": "Du bist dabei, als {name}",
	"log-back": "Der Rechner der Lehrkraft ist wieder da",
	"log-found": "{name} hat Block {height} gefunden",
	"answer-stale": "Abgelehnt: zu spät, jemand hatte schon einen Block gefunden",
	"answer-duplicate": "Abgelehnt: dieser Share kam schon einmal",
	"answer-low": "Abgelehnt: der Hash ist nicht klein genug",
	"answer-unknown_job": "Abgelehnt: die Arbeit ist zu alt",
	"answer-paused": "Abgelehnt: die Klasse macht Pause",
	"answer-unauthorized": "Abgelehnt: dieses Gerät ist nicht mehr bekannt",
	"answer-other": "Abgelehnt: {why}",
	"trouble-full": "Der Raum ist voll: 64 Telefone sind dabei. Frag die Lehrkraft.",
	"trouble-removed": "Die Lehrkraft hat diesen Namen herausgenommen. Bitte um Einlass.",
	"trouble-fast": "Zu viel auf einmal von diesem Gerät; gleich geht es weiter.",
	"trouble-other": "Das ging nicht: {why}",
	"trouble-unreachable": "Der Rechner der Lehrkraft antwortet nicht. Bist du im selben WLAN?",
};

const german = /^de\b/i.test(navigator.language || "");
export const language = german ? "de" : "en";
const WORDS = german ? DE : EN;
export const both = { en: EN, de: DE }; // for a test: the same keys, the same places to fill

export const has = (key) => key in WORDS;

// The words of a key, its {places} filled.
export function say(key, values) {
	return WORDS[key].replace(/\{(\w+)\}/g, (_, name) => String((values || {})[name]));
}

// Puts the words of its key into each element that names one.
export function sayAll() {
	document.documentElement.lang = language;
	for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
}

const digits = (value, places) => value.toLocaleString(language, { maximumSignificantDigits: places });

// 2,350,000 as "2.35 M": with the unit behind it.
export function si(value, unit) {
	for (const [size, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]])
		if (value >= size) return `${digits(value / size, 3)} ${letter}${unit}`;
	return `${digits(value, 3)} ${unit}`;
}

export function many(value) {
	const names = german ? ["Billionen", "Milliarden", "Millionen"] : ["trillion", "billion", "million"];
	for (const [i, size] of [1e12, 1e9, 1e6].entries()) if (value >= size) return `${digits(value / size, 3)} ${names[i]}`;
	return digits(value, 3);
}

export function wait(seconds) {
	if (!isFinite(seconds)) return "–";
	if (seconds < 90) return `${digits(Math.max(seconds, 1), 2)} s`;
	return seconds < 5400 ? `${digits(seconds / 60, 2)} min` : `${digits(seconds / 3600, 2)} h`;
}

export const number = digits;
