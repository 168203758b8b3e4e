"use strict";
// One SHA-256d for the workbench, written from FIPS 180-4; the tests compare it with the product.
const homehash = (() => {
  const primes = (n) => { const p = []; for (let c = 2; p.length < n; c++) if (p.every((d) => c % d)) p.push(c); return p; };
  const root = (value, degree) => { // first 32 bits of the fraction of a root, in exact integers
    let low = 0n, high = 1n << 40n; const scaled = BigInt(value) << (32n * degree);
    while (high - low > 1n) { const mid = (low + high) >> 1n; if (mid ** degree <= scaled) low = mid; else high = mid; }
    return Number(low & 0xffffffffn);
  };
  const K = primes(64).map((p) => root(p, 3n)), START = primes(8).map((p) => root(p, 2n));
  const rotr = (x, n) => (x >>> n) | (x << (32 - n));

  function compress(state, words, watch) {
    const w = words.slice();
    for (let t = 16; t < 64; t++) {
      const x = w[t - 15], y = w[t - 2];
      const s0 = rotr(x, 7) ^ rotr(x, 18) ^ (x >>> 3), s1 = rotr(y, 17) ^ rotr(y, 19) ^ (y >>> 10);
      w.push((w[t - 16] + s0 + w[t - 7] + s1) >>> 0);
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < 64; t++) {
      const t1 = (h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + w[t]) >>> 0;
      const t2 = ((rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) >>> 0;
      const before = [a, b, c, d, e, f, g, h];
      h = g; g = f; f = e; e = (d + t1) >>> 0; d = c; c = b; b = a; a = (t1 + t2) >>> 0;
      if (watch) watch.push({ t, w: w[t], k: K[t], t1, t2, before, after: [a, b, c, d, e, f, g, h] });
    }
    return [a, b, c, d, e, f, g, h].map((word, i) => (word + state[i]) >>> 0);
  }

  function sha256(bytes, watch) {
    const length = bytes.length, padded = new Uint8Array(((length + 72) >> 6) << 6);
    padded.set(bytes); padded[length] = 0x80;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 8, Math.floor(length / 2 ** 29)); view.setUint32(padded.length - 4, (length << 3) >>> 0);
    let state = START;
    for (let at = 0; at < padded.length; at += 64)
      state = compress(state, Array.from({ length: 16 }, (_, i) => view.getUint32(at + 4 * i)), watch);
    const out = new Uint8Array(32), words = new DataView(out.buffer);
    state.forEach((word, i) => words.setUint32(4 * i, word));
    return out;
  }
  const sha256d = (bytes, watch) => sha256(sha256(bytes, watch), watch);
  const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  const unhex = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
  const display = (bytes) => hex(Uint8Array.from(bytes).reverse());
  return { sha256, sha256d, hex, unhex, display };
})();

(() => {
  const find = (id) => document.getElementById(id);
  const { headers, words: SAY } = JSON.parse(find("facts").textContent);
  const FIELDS = [4, 36, 68, 72, 76, 80], NAMES = [SAY.chunk1, SAY.chunk2, SAY.second];
  let header, own, target, rounds = [];
  const dots = [];

  const nonceOf = (bytes) => new DataView(bytes.buffer).getUint32(76, true);
  const withNonce = (nonce) => { const copy = header.slice(); new DataView(copy.buffer).setUint32(76, nonce, true); return copy; };
  const log2 = (text) => { // of a 256-bit number in hex; 0 for zero
    const digits = text.replace(/^0+/, ""); if (!digits) return 0;
    return 4 * (digits.length - 1) + Math.log2(parseInt(digits.slice(0, 12).padEnd(12, "0"), 16) / 16 ** 11);
  };
  let floor = 0; // the left end of the line, as a power of two
  const x = (text) => 10 + 380 * Math.max(0, (log2(text) - floor) / (256 - floor));
  const label = (at, y, words) => `<text x="${Math.min(Math.max(at, 46), 354).toFixed(1)}" y="${y}" text-anchor="middle">${words}</text>`;

  function drawLine(current) {
    const parts = [`<path class="line" d="M10 30h380"/>`];
    for (const dot of dots) parts.push(`<circle class="missed" cx="${x(dot).toFixed(1)}" cy="30" r="3"/>`);
    parts.push(`<path class="theory" d="M${x(target).toFixed(1)} 14v32"/>${label(x(target), 62, SAY.target)}`);
    parts.push(`<circle class="own" cx="${x(current).toFixed(1)}" cy="30" r="6"/>${label(x(current), 12, SAY.this)}`);
    find("line").innerHTML = parts.join("");
  }

  function drawRound() {
    const place = Number(find("round").value), step = rounds[place];
    const word = (n) => n.toString(16).padStart(8, "0");
    find("round-value").textContent = SAY.round.replace("{t}", step.t).replace("{name}", NAMES[place >> 6]);
    find("round-words").textContent = `W = ${word(step.w)}   K = ${word(step.k)}   T1 = ${word(step.t1)}   T2 = ${word(step.t2)}`;
    const body = find("registers").tBodies[0];
    body.replaceChildren(...Array.from("abcdefgh", (letter, i) => {
      const row = document.createElement("tr");
      for (const text of [letter, word(step.before[i]), word(step.after[i])]) row.insertCell().textContent = text;
      const cell = row.insertCell();
      for (let bit = 31; bit >= 0; bit--) {
        const mark = document.createElement("span");
        mark.className = "bit" + ((step.after[i] >>> bit) & 1 ? " on" : "") + (((step.after[i] ^ step.before[i]) >>> bit) & 1 ? " new" : "") + (bit % 8 ? "" : " gap");
        cell.append(mark);
      }
      cell.setAttribute("aria-label", (step.after[i] >>> 0).toString(2).padStart(32, "0"));
      return row;
    }));
  }

  function show(nonce) {
    nonce = ((nonce % 2 ** 32) + 2 ** 32) % 2 ** 32;
    const bytes = withNonce(nonce), watch = [], hash = homehash.display(homehash.sha256d(bytes, watch));
    rounds = watch; header = bytes;
    const text = homehash.hex(bytes); let from = 0;
    find("bytes").replaceChildren(...FIELDS.map((to, i) => {
      const span = document.createElement("span"); span.className = "f" + i;
      span.textContent = text.slice(2 * from, 2 * to); from = to; return span;
    }));
    find("nonce-value").textContent = nonce.toLocaleString(document.documentElement.lang);
    find("hash").textContent = hash; find("target").textContent = target;
    const met = hash <= target; // same length, lower-case hex: text order is number order
    find("verdict").textContent = met ? SAY.met : SAY.missed;
    dots.push(hash); if (dots.length > 1500) dots.shift();
    drawLine(hash); drawRound();
    return met;
  }

  function choose() {
    const chosen = headers[Number(find("choice").value)];
    header = homehash.unhex(chosen.hex); target = chosen.target;
    floor = Math.floor(Math.min(log2(target), 236)) - 12; find("floor").textContent = floor;
    own = nonceOf(header);
    dots.length = 0; go(own);
  }
  let centre = 0, tried = 0; // where the slider's middle is; the last nonce of a search
  function go(nonce) { centre = tried = nonce; find("nonce").value = 0; return show(nonce); }
  function searchOn() {
    const start = tried, best = { hash: "f".repeat(64), nonce: start };
    for (let n = 1; n <= 1000; n++) {
      const nonce = (start + n) % 2 ** 32, hash = homehash.display(homehash.sha256d(withNonce(nonce)));
      dots.push(hash);
      tried = nonce;
      if (hash < best.hash) { best.hash = hash; best.nonce = nonce; }
      if (hash <= target) break;
    }
    if (dots.length > 1500) dots.splice(0, dots.length - 1500);
    centre = best.nonce; find("nonce").value = 0;
    show(best.nonce);
  }
  const step = (id, by) => { const slider = find(id); slider.value = Number(slider.value) + by; slider.dispatchEvent(new Event("input")); };

  headers.forEach((one, i) => find("choice").append(new Option(one.name, i)));
  find("choice").addEventListener("change", choose);
  find("nonce").addEventListener("input", () => { tried = centre + Number(find("nonce").value); show(tried); });
  find("less").addEventListener("click", () => go(nonceOf(header) - 1));
  find("more").addEventListener("click", () => go(nonceOf(header) + 1));
  find("home").addEventListener("click", () => go(own));
  find("search").addEventListener("click", searchOn);
  find("round").addEventListener("input", drawRound);
  find("back").addEventListener("click", () => step("round", -1));
  find("next").addEventListener("click", () => step("round", 1));
  choose();
  find("workbench").hidden = false;
})();
