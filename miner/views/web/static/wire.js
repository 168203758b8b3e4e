// The miner's answers: one stream a tab, closed while nobody looks; without a stream a question
// every three seconds. Says when the miner is silent, and goes on asking.

const QUIET = 3500; // ms without news: something is wrong
const STALE = 10000; // an open stream that says nothing is opened anew

export async function ask(path) {
	try {
		const answer = await fetch(path, { cache: "no-store" });
		return answer.ok ? await answer.json() : null;
	} catch {
		return null;
	}
}

export function follow({ stream, status, take, silent, woken }) {
	let source = null;
	let heard = Date.now();
	let turn = 0;

	const got = (told) => {
		heard = Date.now();
		take(told);
	};
	const close = () => {
		if (source) source.close();
		source = null;
	};
	const open = () => {
		close();
		if (document.hidden || !window.EventSource) return;
		source = new EventSource(stream);
		source.addEventListener("status", (event) => got(JSON.parse(event.data)));
	};
	const poll = async () => {
		const told = await ask(status);
		if (told && !document.hidden) got(told);
	};
	const look = () => {
		const quiet = Date.now() - heard;
		if (document.hidden || quiet < QUIET) return;
		silent(quiet / 1000);
		turn += 1;
		if (turn % 3) return;
		if (!source || source.readyState === 2 || quiet > STALE) open();
		poll();
	};
	document.addEventListener("visibilitychange", () => {
		heard = Date.now();
		if (document.hidden) close();
		else {
			open();
			woken();
		}
	});
	window.addEventListener("pagehide", close);
	setInterval(look, 1000);
	open();
}
