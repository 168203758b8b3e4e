// Talks with the teacher's computer: server-sent events bring work, POSTs take shares there. It comes
// back by itself after that computer slept, and enters again where it was started anew.
const SILENT_MS = 20000; // without an event: the other end is gone, whatever the connection says
const ANSWER_MS = 8000, AGAIN_MS = 2000, LOOK_MS = 2500;
const API = "/api/v1/phones";

// What this device is known by, kept across reloads where the browser keeps anything.
export const memory = {
	get(name) { try { return localStorage.getItem(`homehash-${name}`) || ""; } catch (_) { return ""; } },
	set(name, value) { try { localStorage.setItem(`homehash-${name}`, value); } catch (_) { /* a private window */ } },
};

// The answer to a POST: its status (0: none came) and its JSON.
async function post(path, body) {
	const end = new AbortController(), timer = setTimeout(() => end.abort(), ANSWER_MS);
	try {
		const reply = await fetch(API + path, {
			method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal: end.signal,
		});
		return { status: reply.status, ...await reply.json() };
	} catch (_) {
		return { status: 0, error: "" };
	} finally {
		clearTimeout(timer);
	}
}

export class Link {
	// `on`: work(unit), told(what the class knows of this device), found(a block of anybody),
	// lost(), back(), moved(), removed(), shut(why it
	// may not come back), judged(answer).
	constructor(on) {
		this.on = on;
		this.token = memory.get("token");
		this.name = memory.get("name");
		this.source = null;
		this.heardAt = 0;
		this.gone = false;
		setInterval(() => this.look(), LOOK_MS);
	}

	// Enters the room, or comes back with the token of before; the server's answer.
	async enter(name, device) {
		const answer = await post("", { name, device, token: this.token });
		if (answer.status === 200) {
			Object.assign(this, { token: answer.token, name: answer.name, device });
			memory.set("token", answer.token);
			memory.set("name", answer.name);
			this.open();
		}
		return answer;
	}

	open() {
		this.close();
		this.heardAt = performance.now();
		const source = this.source = new EventSource(`${API}/stream?token=${encodeURIComponent(this.token)}`);
		const on = (name, then) => source.addEventListener(name, (event) => {
			if (source !== this.source) return;
			this.heardAt = performance.now();
			if (this.gone) this.on.back();
			this.gone = false;
			then(event.data ? JSON.parse(event.data) : {});
		});
		on("work", (unit) => this.on.work(unit));
		on("told", (told) => this.on.told(told));
		on("found", (block) => this.on.found(block));
		on("moved", () => { this.close(); this.on.moved(); });
		on("removed", () => { this.close(); this.forget(); this.on.removed(); });
		on("unknown", () => { this.close(); this.forget(); this.again(); });
		source.onerror = () => { if (source === this.source) this.lose(); };
	}

	close() {
		if (this.source) this.source.close();
		this.source = null;
	}

	// Enters once more, by the same name, until there is an answer.
	async again() {
		let answer = await this.enter(this.name, this.device);
		while (answer.status === 0 && !this.source) {
			await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
			answer = await this.enter(this.name, this.device);
		}
		if (answer.status !== 200) this.on.shut(answer);
	}

	forget() {
		this.token = "";
		memory.set("token", "");
	}

	lose() {
		if (!this.gone) this.on.lost();
		this.gone = true;
	}

	// A browser gives some errors up, and never notices a computer that fell asleep.
	look() {
		if (!this.source) return;
		if (performance.now() - this.heardAt > SILENT_MS || this.source.readyState === EventSource.CLOSED) {
			this.lose();
			this.open();
		}
	}

	// Sends a share until an answer comes, or the work is not `current` any more.
	async share(unit, nonce, current) {
		const claim = { token: this.token, job: unit.job, unit: unit.unit, nonce };
		let answer = await post("/share", claim);
		while ((answer.status === 0 || answer.status === 429) && current(unit)) {
			await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
			answer = await post("/share", claim);
		}
		if (answer.status) this.on.judged(answer);
	}

	// Further work on this job: all nonces of the last unit are out.
	async more() {
		const answer = await post("/work", { token: this.token });
		if (answer.status === 200) this.on.work(answer);
	}
}
