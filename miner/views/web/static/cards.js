// The cards that are words and tables: rate, odds, the best, sources, devices, alarms.

import { at, cells, el, keep, rows, say, show } from "/dom.js";
import { ago, chance, count, day, duration, known, many, plain, power, rate, reasons, si, significant, some, wait } from "/words.js";

const WINDOWS = [["10 s", 10, "rate_10s_hs"], ["1 min", 60, "rate_1min_hs"], ["5 min", 300, "rate_5min_hs"], ["15 min", 900, "rate_15min_hs"], ["1 h", 3600, "rate_1h_hs"], ["session", 0, null]];
const SPANS = [["day", 86400], ["30 days", 2592000], ["year", 31557600], ["10 years", 315576000]];
const BOUNDS = ["10 ms", "25 ms", "50 ms", "0.1 s", "0.25 s", "0.5 s", "1 s", "2.5 s", "5 s", "10 s", "more"];

// A row of buttons of which one is pressed; what was chosen is remembered.
export function choice(place, key, options, chosen, act) {
	const pick = (value) => {
		for (const button of place.children) button.setAttribute("aria-pressed", String(button.value === value));
		keep.set(key, value);
		act(value);
	};
	for (const [label, value] of options) {
		const button = el("button", "", label);
		button.value = value;
		button.addEventListener("click", () => pick(String(value)));
		place.append(button);
	}
	const kept = keep.get(key, chosen);
	pick(options.some(([, value]) => String(value) === kept) ? kept : chosen);
}

export const windows = WINDOWS.map(([label]) => [label, label]);

// The rate of the chosen window; one that is longer than the run is that of the session.
export function speed(now, wanted) {
	const { run } = now;
	for (const button of at("windows").children) button.disabled = run.paced || (WINDOWS.find(([label]) => label === button.value)[1] > run.elapsed_s);
	if (run.paced) {
		say(at("rate"), rate(run.rate_computer_hs));
		say(at("rate-window"), known(run.rate_computer_hs) ? "this computer, measured between blocks" : "not measured yet");
		say(at("rate-more"), "Blocks of this practice chain are kept apart: most of the time is waiting, so the curve below shows work done, not speed.");
		return run.rate_computer_hs;
	}
	const [label, span, field] = WINDOWS.find((one) => one[0] === wanted);
	const whole = !field || span > run.elapsed_s;
	const value = whole ? run.rate_session_hs ?? run.rates.rate_10s_hs : run.rates[field];
	say(at("rate"), rate(value));
	say(at("rate-window"), whole ? `since the start, ${duration(run.elapsed_s)} ago` : `over ${label}`);
	const parts = [`${si(run.hashes)} hashes in ${duration(run.elapsed_s)}`];
	if (known(now.shares.rate_hs)) parts.push(`the shares found speak for ${rate(now.shares.rate_hs)} ± ${rate(now.shares.rate_error_hs)}`);
	const watts = sum(now.devices, (device) => device.sensors?.power_w);
	if (watts && value) parts.push(`${plain((watts / value) * 1e12)} J/TH`);
	say(at("rate-more"), parts.join("; "));
	return value;
}

export function benchmark(now) {
	const { rate_benchmark_hs: mark, below_benchmark: below } = now.run;
	show(at("benchmark-key"), known(mark));
	if (known(mark)) say(at("benchmark"), `benchmark ${rate(mark)}${below ? ": it is below; other programs, heat, or battery?" : ""}`);
	at("benchmark").classList.toggle("warn", Boolean(below));
}

export function shares(now) {
	const { shares: sum } = now;
	const more = [["stale", sum.stale], ["unknown", sum.unknown], ["open", sum.pending], ["surplus", sum.surplus], ["dropped", sum.dropped], ["not sent", sum.not_sent]].filter(([, n]) => n).map(([word, n]) => `, ${count(n)} ${word}`).join("");
	const why = reasons(sum.rejected_reasons);
	const reached = known(sum.best_session) && now.job ? sum.best_session / now.job.network_difficulty : null;
	const far = !known(reached) || reached <= 0 ? "" : reached < 1 ? ` The best reached 1 part in ${many(1 / reached)} of a block.` : " The best was a block.";
	say(at("shares-told"), `${count(sum.found)} found: ${count(sum.accepted)} accepted, ${count(sum.rejected)} rejected${why ? ` (${why})` : ""}${more}.${far}`);
}

export function luck(now) {
	const told = now.luck;
	if (now.run.paced) return say(at("luck-told"), "On a practice chain that keeps blocks apart luck says nothing.");
	if (!known(told.ratio)) return say(at("luck-told"), "Nothing was to be expected yet.");
	const found = `${count(told.found_shares)} shares found, ${significant(told.expected_shares)} expected from the hashes done`;
	if (told.expected_shares < 0.5 && !told.found_shares) return say(at("luck-told"), `${found}: too early to say.`);
	const inside = told.ratio >= told.low && told.ratio <= told.high;
	return say(at("luck-told"), `${Math.round(100 * told.ratio)} %: ${found}. ${Math.round(100 * told.low)} to ${Math.round(100 * told.high)} % is usual: ${inside ? "this is mere chance." : "rarer than 1 in 20; if it stays so, something may be wrong."}`);
}

export function odds(now) {
	const told = now.odds;
	const lines = [];
	const hashes = (value) => (value < 1e15 ? many(value) : power(value));
	if (known(told.rate_hs) && known(told.share_s)) {
		lines.push(`At ${rate(told.rate_hs)} a share takes ${wait(told.share_s)} on average.`);
		lines.push(`A block of this network takes ${hashes(told.block_hashes)} hashes: ${wait(told.block_s)} on average.`);
		if (known(told.mainnet_block_s)) lines.push(`On Bitcoin's mainnet (difficulty ${si(told.mainnet_difficulty)}) it would be ${wait(told.mainnet_block_s)}: a lottery with ${chance(told.mainnet_block_a_year)} a year.`);
	} else if (known(told.block_hashes)) lines.push(`A block of this network takes ${hashes(told.block_hashes)} hashes on average. How long that takes is known with the rate.`);
	else lines.push("Known when there is work and a rate.");
	rows(at("odds"), lines, (_, n) => n, () => el("li"), (line, text) => say(line, text));
	const of = (mean, span) => (known(mean) && mean > 0 ? chance(-Math.expm1(-span / mean)) : "–");
	rows(at("chances").tBodies[0], SPANS, ([label]) => label, () => el("tr", "", null, el("th"), el("td"), el("td")), (line, [label, span]) => cells(line, [`in a ${label}`.replace("a 10", "10").replace("a 30", "30"), of(told.block_s, span), of(told.mainnet_block_s, span)]));
}

export const zeroBits = (hash) => {
	const lead = /^0*/.exec(hash)[0].length;
	return lead === 64 ? 256 : 4 * lead + Math.clz32(Number.parseInt(hash[lead], 16)) - 28;
};

export function best(list, now, check) {
	say(at("best-told"), known(now.shares.best_ever) ? `Best of this session ${si(now.shares.best_session)}, best ever ${si(now.shares.best_ever)}. Difficulty is how many times rarer than the easiest of 2009.` : "None found yet.");
	rows(at("best").tBodies[0], list, (row) => row.hash, () => {
		const button = el("button", "small", "check it");
		const line = el("tr", "", null, el("td"), el("td"), el("td"), el("td"), el("td", "", null, button));
		button.addEventListener("click", () => check(line.share));
		return line;
	}, (line, row, place) => {
		line.share = row;
		line.classList.toggle("isblock", row.is_block);
		cells({ children: [...line.children].slice(0, 4) }, [String(place + 1), `${si(row.difficulty)}${row.is_block ? ", a block" : ""}`, String(zeroBits(row.hash)), day(row.found_at_s, now.time_s)]);
		line.lastChild.firstChild.setAttribute("aria-label", `Check number ${place + 1}`);
	});
}

export function sources(now) {
	const kinds = new Set(now.sources.map((row) => row.kind));
	say(at("sources-title"), kinds.size > 1 ? "Pools and nodes" : kinds.has("node") ? "Node" : now.sources.length > 1 ? "Pools" : "Pool");
	rows(at("sources"), now.sources, (row) => row.name, () => {
		const bars = el("div", "bars");
		return el("article", "source", null, el("h3", "", null, el("i", "dot"), el("span", "secret"), el("small")), el("p"), el("p", "dim"), el("p", "dim", null, el("span"), el("span", "secret")), bars);
	}, (box, row) => {
		const [head, counts, wait, link, bars] = box.children;
		const good = row.health === "ready";
		box.className = `source ${row.active ? "active" : ""} ${good ? "good" : "poor"}`;
		say(head.children[1], row.name);
		say(head.children[2], ` ${row.health}${row.active ? ", its work is done now" : good ? ", ready to take over" : ""}`);
		const why = reasons(row.rejected_reasons);
		say(counts, `${count(row.accepted)} accepted, ${count(row.rejected)} rejected${why ? ` (${why})` : ""}, ${count(row.stale)} stale${row.unknown ? `, ${count(row.unknown)} unknown` : ""}${known(row.difficulty) && row.kind === "pool" ? `; shares at difficulty ${si(row.difficulty)}` : ""}`);
		say(wait, known(row.latency_median_s) ? `answers in ${duration(row.latency_median_s)} (median), the last in ${duration(row.latency_last_s)}` : "no answer timed yet");
		const place = row.priority ? `fail-over number ${row.priority}` : now.sources.length > 1 ? "first choice" : "";
		const again = `connected ${some(row.connects, "time")}`;
		const left = row.failovers ? `${some(row.failovers, "time")} its work went over to the next` : "";
		cells(link, [[place, again, left].filter(Boolean).join("; "), good || !row.text ? "" : `; ${row.text}`]);
		latencies(bars, row.latency_counts || []);
	});
}

function latencies(place, counts) {
	const total = counts.length ? counts[counts.length - 1] : 0;
	const each = counts.map((n, at_) => n - (at_ ? counts[at_ - 1] : 0));
	const most = Math.max(...each, 1);
	show(place, total > 0);
	place.setAttribute("role", "img");
	place.setAttribute("aria-label", `Answers by their time, the fastest first: ${each.join(", ")}`);
	rows(place, each, (_, n) => n, (_, n) => el("i", "", null), (bar, n, which) => {
		bar.style.height = n ? `${Math.max((100 * n) / most, 6)}%` : "0";
		bar.title = `${n} within ${BOUNDS[which]}`;
	});
}

const sum = (list, field) => {
	const told = list.map(field).filter(known);
	return told.length ? told.reduce((one, two) => one + two, 0) : null;
};
const unit = (value, digits, name) => (known(value) ? `${value.toFixed(digits)} ${name}` : "–");
const kwh = (joules) => (known(joules) ? `${significant(joules / 3.6e6)} kWh` : "–");

export function devices(now, tariff) {
	const paced = now.run.paced;
	const line = (name, hs, told, joules, faults) => {
		const watts = told?.power_w;
		return [name, paced ? "–" : rate(hs), unit(told?.temperature_c, 0, "°C"), unit(watts, 1, "W"), !paced && watts && hs ? plain((watts / hs) * 1e12) : "–", kwh(joules), money(joules, tariff), unit(told?.clock_mhz, 0, "MHz"), faults];
	};
	const make = () => el("tr", "", null, el("th"), ...Array.from({ length: 8 }, () => el("td")));
	rows(at("devices").tBodies[0], now.devices, (row, n) => `${n} ${row.name}`, make, (tr, row) => {
		const held = row.sensors?.held_back;
		const faults = row.false_hits + row.faults;
		const bad = [faults ? `${faults}` : "", row.restarts ? some(row.restarts, "restart") : "", held ? `held back by ${held}` : ""].filter(Boolean).join(", ");
		cells(tr, line(`${row.name}, ${some(row.workers, "worker")}`, row.rates.rate_1min_hs, row.sensors, row.joules, bad || "none"));
		tr.classList.toggle("warn", Boolean(bad));
	});
	const watts = sum(now.devices, (row) => row.sensors?.power_w);
	const joules = sum(now.devices, (row) => row.joules);
	const told = now.devices.filter((row) => known(row.sensors?.power_w)).length;
	const all = now.devices.length > 1 ? [line("together", sum(now.devices, (row) => row.rates.rate_1min_hs), null, joules, "")] : [];
	if (all.length && known(watts)) all[0][3] = `${watts.toFixed(1)} W${told < now.devices.length ? ` (${told} of ${now.devices.length})` : ""}`;
	rows(at("devices").tFoot, all, () => "all", make, (tr, texts) => cells(tr, texts));
	const cost = at("cost");
	if (!known(watts)) say(cost, "No power sensor tells: costs are not known. A wall meter does.");
	else {
		const part = told < now.devices.length ? ` for the ${told} of ${now.devices.length} devices that tell their power` : "";
		const price = tariff.price === null ? "" : ` and costs ${((watts * 24) / 1000 * tariff.price).toFixed(2)} ${tariff.currency}`;
		say(cost, `${significant(watts)} W: a day takes ${significant((watts * 24) / 1000)} kWh${price}${part}`);
	}
}

const money = (joules, { price, currency }) => (known(joules) && price !== null ? `${significant((joules / 3.6e6) * price)} ${currency}` : "–");

export function alarms(now) {
	const list = [...now.alarms].reverse();
	if (now.run.tls_insecure) list.unshift({ text: "The pool's certificate is not checked (--tls-insecure).", at_s: now.run.started_at_s });
	rows(at("alarms"), list.length ? list : [{ text: "None.", at_s: null }], (row) => `${row.at_s} ${row.text}`, () => el("li", "", null, el("span", "dim"), el("b", "secret")), (line, row) => {
		cells(line, [row.at_s === null ? "" : `${day(row.at_s, now.time_s)}, ${ago(row.at_s, now.time_s)}: `, row.text]);
		line.classList.toggle("alarm", row.at_s !== null);
	});
	at("card-alarms").classList.toggle("quiet", !list.length);
}

export function foot(now, machine) {
	const who = machine ? `${machine.host ? `${machine.host}, ` : ""}${machine.cpu}, ${machine.threads} threads` : "";
	const ever = now.run.lifetime_hashes > now.run.hashes ? ` (all runs: ${si(now.run.lifetime_hashes)} hashes in ${duration(now.run.lifetime_s)})` : "";
	say(at("foot"), `homehash ${now.run.version}, running ${duration(now.run.elapsed_s)}${ever}${now.run.goals.length ? `, until ${now.run.goals.join(" or ")}` : ""}. ${who}`);
}
