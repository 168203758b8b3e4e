// Two windows to copy from: the check of a share, and the report for whoever helps.

import { at, copy, say } from "/dom.js";
import { duration, rate, reasons, si } from "/words.js";

export function dialogs() {
	for (const button of document.querySelectorAll("[data-copy]")) {
		button.addEventListener("click", () => copy(at(button.dataset.copy), button.closest("dialog").querySelector(".copied")));
	}
	for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
}

function open(dialog) {
	say(dialog.querySelector(".copied"), "");
	if (!dialog.open) dialog.showModal();
}

const unhex = (hex) => Uint8Array.from(hex.match(/../g), (pair) => Number.parseInt(pair, 16));

// By this browser's own SHA-256, which it only has on this computer or over https.
async function hashed(header) {
	if (!globalThis.crypto?.subtle) return null;
	const once = await crypto.subtle.digest("SHA-256", unhex(header));
	const twice = new Uint8Array(await crypto.subtle.digest("SHA-256", once));
	return [...twice].reverse().map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function check(share) {
	at("check-header").value = share.header;
	at("check-hash").value = share.hash;
	at("check-command").value = share.check;
	say(at("check-told"), `Difficulty ${si(share.difficulty)}, nonce ${share.nonce}, job ${share.job_id}${document.body.classList.contains("private") ? "" : `, from ${share.source}`}. Hash the header's 80 bytes with SHA-256 twice, read the result backwards: it is the hash below.`);
	open(at("check"));
	const own = await hashed(share.header);
	if (own && at("check-header").value === share.header) say(at("check-told"), `${at("check-told").textContent} ${own === share.hash ? "This browser has just done so: it is." : "This browser has just done so: IT IS NOT."}`);
}

const of = (value) => (value === undefined ? "–" : value);

export function report(now, machine, gone) {
	const { run, shares, blocks, luck } = now;
	const lines = [
		`homehash ${run.version}`,
		`made ${new Date().toISOString()}${gone ? ", the miner did not answer then" : ""}`,
		`health: ${now.health.word}: ${now.health.reason}`,
		`activity: ${run.activity}, running ${duration(run.elapsed_s)}${run.paced ? ", blocks paced" : ""}`,
		machine ? `machine: ${machine.cpu}, ${machine.threads} threads, ${machine.system}, Python ${machine.python}` : "machine: –",
		`browser: ${navigator.userAgent}`,
		`rate: 10 s ${rate(run.rates.rate_10s_hs)}, 1 min ${rate(run.rates.rate_1min_hs)}, session ${rate(run.rate_session_hs)}, benchmark ${rate(run.rate_benchmark_hs)}`,
		`shares: found ${shares.found}, accepted ${shares.accepted}, rejected ${shares.rejected}, stale ${shares.stale}, unknown ${shares.unknown}, open ${shares.pending}`,
		`reasons: ${reasons(shares.rejected_reasons) || "–"}`,
		`blocks: found ${blocks.found}, accepted ${blocks.accepted}, rejected ${blocks.rejected}, waiting ${blocks.waiting}`,
		`luck: ${luck.found_shares} of ${luck.expected_shares.toPrecision(4)} expected`,
	];
	now.sources.forEach((row, n) => lines.push(`${row.kind} ${n + 1}: ${row.health}, ${row.active ? "active, " : ""}${row.accepted} accepted, ${row.rejected} rejected, ${row.stale} stale, median ${duration(row.latency_median_s)}, connected ${row.connects} times, difficulty ${si(row.difficulty)}`));
	for (const row of now.devices) lines.push(`${row.kind} ${row.name}: ${row.workers} workers, ${rate(row.rates.rate_1min_hs)}, ${of(row.sensors?.temperature_c)} °C, ${of(row.sensors?.power_w)} W, false hits ${row.false_hits}, faults ${row.faults}, restarts ${row.restarts}`);
	for (const row of now.alarms) lines.push(`alarm ${new Date(1000 * row.at_s).toISOString()}: ${row.text}`);
	at("report-text").value = bare(lines.join("\n"), now, machine);
	open(at("support"));
}

// Alarms and reasons may name a host or a user: they are taken out of the whole text.
function bare(text, now, machine) {
	const names = [machine?.host, ...(machine?.addresses || [])];
	for (const row of now.sources) names.push(row.name, row.url, row.user, ...(row.url || "").split(/[/@:?]+/).filter((part) => part.length > 3 && /[.]/.test(part)));
	let out = text;
	for (const name of names.filter((one) => one && one.length > 2).sort((one, two) => two.length - one.length)) out = out.split(name).join("***");
	return out;
}
