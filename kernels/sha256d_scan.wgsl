/* SHA-256d over 80-byte headers: which (version, nonce) pairs may meet the target? In WGSL.
 *
 * The ideas are those of sha256d_scan.cl; kernels/README.md says what differs. Words are SHA-256's
 * big-endian words as integers (FIPS 180-4). Two entry points:
 *
 *   scan_shared   an invocation holds one version and walks NONCES nonces that are the same for the
 *                 whole workgroup, which expands chunk 2's schedule once into workgroup memory.
 *   scan_single   an invocation holds one nonce of one version and rolls its own schedule.
 *
 * An invocation reports a candidate when the last state word has the zero bits that the target
 * demands (`mask`); the host compares all 256 bits. Candidates beyond CAPACITY are counted, not
 * stored: the host sees the count and asks again for a smaller range. Every index is in range by
 * itself; nothing relies on robust access.
 *
 * Everything that a host may choose stands here: pipeline constants, and whether an invocation does
 * one hash at a time or two side by side, which is how wide a Word is. For two, a host puts the
 * lines of the second comment in the place of those between the two comments.
 */
override GROUP: u32 = 64u;       /* invocations of a workgroup */
override NONCES: u32 = 32u;      /* of a workgroup (scan_single: of an invocation): a power of two, at
                                  * most 64, which takes 13 KiB of the 16 that every device has */
override CAPACITY: u32 = 4096u;  /* candidates the buffer holds */
/* one: */
const SIDE = 1u;                 /* hashes side by side: of two versions (scan_single: nonces) */
alias Word = u32;
fn lanes(a: u32, b: u32) -> Word { return a; }
fn lane(x: Word, i: u32) -> u32 { return x; }
/* two:
const SIDE = 2u;
alias Word = vec2<u32>;
fn lanes(a: u32, b: u32) -> Word { return Word(a, b); }
fn lane(x: Word, i: u32) -> u32 { return select(x.x, x.y, i == 1u); }
*/

struct Task {
    stride: u32,    /* versions in `midstates`, with padding */
    versions: u32,
    t0: u32,        /* header bytes 64..75 */
    t1: u32,
    t2: u32,
    start: u32,     /* nonces start .. start + count - 1, 0 < count < 2**31 */
    count: u32,
    mask: u32,
}
struct Candidate {
    version: u32,   /* its index */
    nonce: u32,
}
struct Found {
    count: atomic<u32>,
    unused: u32,
    pairs: array<Candidate>,
}
@group(0) @binding(0) var<uniform> task: Task;
@group(0) @binding(1) var<storage, read> midstates: array<u32>;  /* [8][stride] */
@group(0) @binding(2) var<storage, read_write> found: Found;

/* Only ever indexed by constants, so each becomes an immediate. */
const K = array<u32, 64>(
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u,
    0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u,
    0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
    0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u,
    0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u,
    0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
    0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u);

struct State { a: Word, b: Word, c: Word, d: Word, e: Word, f: Word, g: Word, h: Word }

/* A shift both ways and an or, of which compilers make one rotate. Mesa's does so only while it does
 * not know n for a constant, hence the or with 0 that it folds away afterwards. */
fn late(n: u32) -> u32 { return n | (task.mask & 0u); }
fn rotr(x: Word, n: u32) -> Word { return (x >> Word(late(n))) | (x << Word(32u - late(n))); }
fn bytes_swapped(x: u32) -> u32 {
    return (x << 24u) | ((x & 0xff00u) << 8u) | ((x >> 8u) & 0xff00u) | (x >> 24u);
}
fn sum0(x: Word) -> Word { return rotr(x, 2u) ^ rotr(x, 13u) ^ rotr(x, 22u); }
fn sum1(x: Word) -> Word { return rotr(x, 6u) ^ rotr(x, 11u) ^ rotr(x, 25u); }
fn sig0(x: Word) -> Word { return rotr(x, 7u) ^ rotr(x, 18u) ^ (x >> Word(3u)); }
fn sig1(x: Word) -> Word { return rotr(x, 17u) ^ rotr(x, 19u) ^ (x >> Word(10u)); }
/* Choose and majority as bit selects: of e, then of a ^ b. */
fn ch(e: Word, f: Word, g: Word) -> Word { return g ^ (e & (f ^ g)); }
fn maj(a: Word, b: Word, c: Word) -> Word { return b ^ ((a ^ b) & (c ^ b)); }

fn step(s: State, kw: Word) -> State {
    let t = s.h + ch(s.e, s.f, s.g) + kw + sum1(s.e);
    return State(t + maj(s.a, s.b, s.c) + sum0(s.a), s.a, s.b, s.c, s.d + t, s.e, s.f, s.g);
}
/* The same where nobody reads the new `a`. */
fn step_e(s: State, kw: Word) -> State {
    let t = s.d + s.h + ch(s.e, s.f, s.g) + kw;
    return State(Word(0u), s.a, s.b, s.c, t + sum1(s.e), s.e, s.f, s.g);
}
/* A word that is the same in every lane. */
fn step_k(s: State, kw: u32) -> State { return step(s, Word(kw)); }
fn next(w0: Word, w1: Word, w9: Word, w14: Word) -> Word { return w0 + w9 + sig0(w1) + sig1(w14); }

/* Second hash over the eight words of the first: its last state word, with which the hash ends.
 * That word is final after round 60; the new `a` of rounds 57..60 cannot reach it. */
fn last_word(s1: State, m: State) -> Word {
    var s = State(Word(0x6a09e667u), Word(0xbb67ae85u), Word(0x3c6ef372u), Word(0xa54ff53au),
                  Word(0x510e527fu), Word(0x9b05688cu), Word(0x1f83d9abu), Word(0x5be0cd19u));
    var w0 = s1.a + m.a;
    var w1 = s1.b + m.b;
    var w2 = s1.c + m.c;
    var w3 = s1.d + m.d;
    var w4 = s1.e + m.e;
    var w5 = s1.f + m.f;
    var w6 = s1.g + m.g;
    var w7 = s1.h + m.h;
    var w8 = Word(0x80000000u);
    var w9 = Word(0u);
    var w10 = Word(0u);
    var w11 = Word(0u);
    var w12 = Word(0u);
    var w13 = Word(0u);
    var w14 = Word(0u);
    var w15 = Word(256u);
    s = step(s, K[0] + w0);
    s = step(s, K[1] + w1);
    s = step(s, K[2] + w2);
    s = step(s, K[3] + w3);
    s = step(s, K[4] + w4);
    s = step(s, K[5] + w5);
    s = step(s, K[6] + w6);
    s = step(s, K[7] + w7);
    s = step(s, K[8] + w8);
    s = step(s, K[9] + w9);
    s = step(s, K[10] + w10);
    s = step(s, K[11] + w11);
    s = step(s, K[12] + w12);
    s = step(s, K[13] + w13);
    s = step(s, K[14] + w14);
    s = step(s, K[15] + w15);
    w0 = next(w0, w1, w9, w14);
    s = step(s, K[16] + w0);
    w1 = next(w1, w2, w10, w15);
    s = step(s, K[17] + w1);
    w2 = next(w2, w3, w11, w0);
    s = step(s, K[18] + w2);
    w3 = next(w3, w4, w12, w1);
    s = step(s, K[19] + w3);
    w4 = next(w4, w5, w13, w2);
    s = step(s, K[20] + w4);
    w5 = next(w5, w6, w14, w3);
    s = step(s, K[21] + w5);
    w6 = next(w6, w7, w15, w4);
    s = step(s, K[22] + w6);
    w7 = next(w7, w8, w0, w5);
    s = step(s, K[23] + w7);
    w8 = next(w8, w9, w1, w6);
    s = step(s, K[24] + w8);
    w9 = next(w9, w10, w2, w7);
    s = step(s, K[25] + w9);
    w10 = next(w10, w11, w3, w8);
    s = step(s, K[26] + w10);
    w11 = next(w11, w12, w4, w9);
    s = step(s, K[27] + w11);
    w12 = next(w12, w13, w5, w10);
    s = step(s, K[28] + w12);
    w13 = next(w13, w14, w6, w11);
    s = step(s, K[29] + w13);
    w14 = next(w14, w15, w7, w12);
    s = step(s, K[30] + w14);
    w15 = next(w15, w0, w8, w13);
    s = step(s, K[31] + w15);
    w0 = next(w0, w1, w9, w14);
    s = step(s, K[32] + w0);
    w1 = next(w1, w2, w10, w15);
    s = step(s, K[33] + w1);
    w2 = next(w2, w3, w11, w0);
    s = step(s, K[34] + w2);
    w3 = next(w3, w4, w12, w1);
    s = step(s, K[35] + w3);
    w4 = next(w4, w5, w13, w2);
    s = step(s, K[36] + w4);
    w5 = next(w5, w6, w14, w3);
    s = step(s, K[37] + w5);
    w6 = next(w6, w7, w15, w4);
    s = step(s, K[38] + w6);
    w7 = next(w7, w8, w0, w5);
    s = step(s, K[39] + w7);
    w8 = next(w8, w9, w1, w6);
    s = step(s, K[40] + w8);
    w9 = next(w9, w10, w2, w7);
    s = step(s, K[41] + w9);
    w10 = next(w10, w11, w3, w8);
    s = step(s, K[42] + w10);
    w11 = next(w11, w12, w4, w9);
    s = step(s, K[43] + w11);
    w12 = next(w12, w13, w5, w10);
    s = step(s, K[44] + w12);
    w13 = next(w13, w14, w6, w11);
    s = step(s, K[45] + w13);
    w14 = next(w14, w15, w7, w12);
    s = step(s, K[46] + w14);
    w15 = next(w15, w0, w8, w13);
    s = step(s, K[47] + w15);
    w0 = next(w0, w1, w9, w14);
    s = step(s, K[48] + w0);
    w1 = next(w1, w2, w10, w15);
    s = step(s, K[49] + w1);
    w2 = next(w2, w3, w11, w0);
    s = step(s, K[50] + w2);
    w3 = next(w3, w4, w12, w1);
    s = step(s, K[51] + w3);
    w4 = next(w4, w5, w13, w2);
    s = step(s, K[52] + w4);
    w5 = next(w5, w6, w14, w3);
    s = step(s, K[53] + w5);
    w6 = next(w6, w7, w15, w4);
    s = step(s, K[54] + w6);
    w7 = next(w7, w8, w0, w5);
    s = step(s, K[55] + w7);
    w8 = next(w8, w9, w1, w6);
    s = step(s, K[56] + w8);
    w9 = next(w9, w10, w2, w7);
    s = step_e(s, K[57] + w9);
    w10 = next(w10, w11, w3, w8);
    s = step_e(s, K[58] + w10);
    w11 = next(w11, w12, w4, w9);
    s = step_e(s, K[59] + w11);
    w12 = next(w12, w13, w5, w10);
    s = step_e(s, K[60] + w12);
    return s.e + 0x5be0cd19u;
}

fn report(version: u32, nonce: u32) {
    let slot = atomicAdd(&found.count, 1u);
    if (slot < CAPACITY) {
        found.pairs[slot] = Candidate(version, nonce);
    }
}

fn midstate_word(at: u32, first: u32, second: u32) -> Word {
    let row = at * task.stride;
    return lanes(midstates[row + first], midstates[row + second]);
}
/* Of two versions, for the lanes of a Word. */
fn midstate(v: u32, w: u32) -> State {
    return State(midstate_word(0u, v, w), midstate_word(1u, v, w), midstate_word(2u, v, w),
                 midstate_word(3u, v, w), midstate_word(4u, v, w), midstate_word(5u, v, w),
                 midstate_word(6u, v, w), midstate_word(7u, v, w));
}
/* Rounds 0..3 but for the nonce, which round 3 adds to `a` and to `e` alone. */
fn before_nonce(m: State) -> State {
    let s = step_k(step_k(step_k(m, K[0] + task.t0), K[1] + task.t1), K[2] + task.t2);
    return step_k(s, K[3]);
}
/* Rounds 3..15, whose words are the nonce, padding and the length. */
fn to_round_16(before: State, nonce_word: Word) -> State {
    var s = before;
    s.a += nonce_word;
    s.e += nonce_word;
    s = step_k(s, K[4] + 0x80000000u);
    s = step_k(s, K[5]);
    s = step_k(s, K[6]);
    s = step_k(s, K[7]);
    s = step_k(s, K[8]);
    s = step_k(s, K[9]);
    s = step_k(s, K[10]);
    s = step_k(s, K[11]);
    s = step_k(s, K[12]);
    s = step_k(s, K[13]);
    s = step_k(s, K[14]);
    return step_k(s, K[15] + 640u);
}

/* Chunk 2's schedule for each nonce of the workgroup, words 16..63 with the round constants, in
 * quads; a thirteenth spreads the writes over the banks. */
var<workgroup> kw: array<vec4<u32>, NONCES * 13u>;

fn rotr_one(x: u32, n: u32) -> u32 { return (x >> late(n)) | (x << (32u - late(n))); }
fn next_shared(w0: u32, w1: u32, w9: u32, w14: u32) -> u32 {
    let s0 = rotr_one(w1, 7u) ^ rotr_one(w1, 18u) ^ (w1 >> 3u);
    let s1 = rotr_one(w14, 17u) ^ rotr_one(w14, 19u) ^ (w14 >> 10u);
    return w0 + w9 + s0 + s1;
}
fn expand(i: u32, nonce_word: u32) {
    let at = i * 13u;
    var w0 = task.t0;
    var w1 = task.t1;
    var w2 = task.t2;
    var w3 = nonce_word;
    var w4 = 0x80000000u;
    var w5 = 0u;
    var w6 = 0u;
    var w7 = 0u;
    var w8 = 0u;
    var w9 = 0u;
    var w10 = 0u;
    var w11 = 0u;
    var w12 = 0u;
    var w13 = 0u;
    var w14 = 0u;
    var w15 = 640u;
    w0 = next_shared(w0, w1, w9, w14);
    w1 = next_shared(w1, w2, w10, w15);
    w2 = next_shared(w2, w3, w11, w0);
    w3 = next_shared(w3, w4, w12, w1);
    kw[at + 0u] = vec4<u32>(K[16] + w0, K[17] + w1, K[18] + w2, K[19] + w3);
    w4 = next_shared(w4, w5, w13, w2);
    w5 = next_shared(w5, w6, w14, w3);
    w6 = next_shared(w6, w7, w15, w4);
    w7 = next_shared(w7, w8, w0, w5);
    kw[at + 1u] = vec4<u32>(K[20] + w4, K[21] + w5, K[22] + w6, K[23] + w7);
    w8 = next_shared(w8, w9, w1, w6);
    w9 = next_shared(w9, w10, w2, w7);
    w10 = next_shared(w10, w11, w3, w8);
    w11 = next_shared(w11, w12, w4, w9);
    kw[at + 2u] = vec4<u32>(K[24] + w8, K[25] + w9, K[26] + w10, K[27] + w11);
    w12 = next_shared(w12, w13, w5, w10);
    w13 = next_shared(w13, w14, w6, w11);
    w14 = next_shared(w14, w15, w7, w12);
    w15 = next_shared(w15, w0, w8, w13);
    kw[at + 3u] = vec4<u32>(K[28] + w12, K[29] + w13, K[30] + w14, K[31] + w15);
    w0 = next_shared(w0, w1, w9, w14);
    w1 = next_shared(w1, w2, w10, w15);
    w2 = next_shared(w2, w3, w11, w0);
    w3 = next_shared(w3, w4, w12, w1);
    kw[at + 4u] = vec4<u32>(K[32] + w0, K[33] + w1, K[34] + w2, K[35] + w3);
    w4 = next_shared(w4, w5, w13, w2);
    w5 = next_shared(w5, w6, w14, w3);
    w6 = next_shared(w6, w7, w15, w4);
    w7 = next_shared(w7, w8, w0, w5);
    kw[at + 5u] = vec4<u32>(K[36] + w4, K[37] + w5, K[38] + w6, K[39] + w7);
    w8 = next_shared(w8, w9, w1, w6);
    w9 = next_shared(w9, w10, w2, w7);
    w10 = next_shared(w10, w11, w3, w8);
    w11 = next_shared(w11, w12, w4, w9);
    kw[at + 6u] = vec4<u32>(K[40] + w8, K[41] + w9, K[42] + w10, K[43] + w11);
    w12 = next_shared(w12, w13, w5, w10);
    w13 = next_shared(w13, w14, w6, w11);
    w14 = next_shared(w14, w15, w7, w12);
    w15 = next_shared(w15, w0, w8, w13);
    kw[at + 7u] = vec4<u32>(K[44] + w12, K[45] + w13, K[46] + w14, K[47] + w15);
    w0 = next_shared(w0, w1, w9, w14);
    w1 = next_shared(w1, w2, w10, w15);
    w2 = next_shared(w2, w3, w11, w0);
    w3 = next_shared(w3, w4, w12, w1);
    kw[at + 8u] = vec4<u32>(K[48] + w0, K[49] + w1, K[50] + w2, K[51] + w3);
    w4 = next_shared(w4, w5, w13, w2);
    w5 = next_shared(w5, w6, w14, w3);
    w6 = next_shared(w6, w7, w15, w4);
    w7 = next_shared(w7, w8, w0, w5);
    kw[at + 9u] = vec4<u32>(K[52] + w4, K[53] + w5, K[54] + w6, K[55] + w7);
    w8 = next_shared(w8, w9, w1, w6);
    w9 = next_shared(w9, w10, w2, w7);
    w10 = next_shared(w10, w11, w3, w8);
    w11 = next_shared(w11, w12, w4, w9);
    kw[at + 10u] = vec4<u32>(K[56] + w8, K[57] + w9, K[58] + w10, K[59] + w11);
    w12 = next_shared(w12, w13, w5, w10);
    w13 = next_shared(w13, w14, w6, w11);
    w14 = next_shared(w14, w15, w7, w12);
    w15 = next_shared(w15, w0, w8, w13);
    kw[at + 11u] = vec4<u32>(K[60] + w12, K[61] + w13, K[62] + w14, K[63] + w15);
}

fn step4(s: State, q: vec4<u32>) -> State {
    return step_k(step_k(step_k(step_k(s, q.x), q.y), q.z), q.w);
}

/* Workgroups: (blocks of NONCES touched by the range, ceil(versions / (GROUP * SIDE))); `midstates`
 * is padded with any state to whole workgroups.
 *
 * The header holds the nonce little-endian, so its word is the nonce with bytes swapped. A block
 * starts at a multiple of NONCES <= 256: within it only the word's top byte counts up. */
@compute @workgroup_size(GROUP, 1, 1)
fn scan_shared(@builtin(local_invocation_index) item: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let block = group.x * NONCES;
    let low = task.start % NONCES;
    let first = task.start - low + block;
    let first_word = bytes_swapped(first);
    for (var i = item; i < NONCES; i += GROUP) {
        expand(i, first_word + (i << 24u));
    }
    workgroupBarrier();

    let version = group.y * GROUP * SIDE + item;
    let m = midstate(version, version + (SIDE - 1u) * GROUP);
    let before = before_nonce(m);
    let end = min(NONCES, low + task.count - block);
    for (var i = select(0u, low, block == 0u); i < end; i++) {
        let at = i * 13u;
        var s = to_round_16(before, Word(first_word + (i << 24u)));
        s = step4(s, kw[at + 0u]);
        s = step4(s, kw[at + 1u]);
        s = step4(s, kw[at + 2u]);
        s = step4(s, kw[at + 3u]);
        s = step4(s, kw[at + 4u]);
        s = step4(s, kw[at + 5u]);
        s = step4(s, kw[at + 6u]);
        s = step4(s, kw[at + 7u]);
        s = step4(s, kw[at + 8u]);
        s = step4(s, kw[at + 9u]);
        s = step4(s, kw[at + 10u]);
        s = step4(s, kw[at + 11u]);
        let last = last_word(s, m);
        for (var j = 0u; j < SIDE; j++) {
            let held = version + j * GROUP;
            if ((lane(last, j) & task.mask) == 0u && held < task.versions) {
                report(held, first + i);
            }
        }
    }
}

/* Workgroups: (ceil(count / (GROUP * NONCES)), versions). */
@compute @workgroup_size(GROUP, 1, 1)
fn scan_single(@builtin(local_invocation_index) item: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let version = group.y;
    let m = midstate(version, version);
    let before = before_nonce(m);
    let skipped = group.x * GROUP * NONCES;
    let todo = min(GROUP * NONCES, task.count - skipped);
    for (var done = item; done < todo; done += GROUP * SIDE) {
        let nonce = task.start + skipped + done;
        var w0 = Word(task.t0);
        var w1 = Word(task.t1);
        var w2 = Word(task.t2);
        var w3 = lanes(bytes_swapped(nonce), bytes_swapped(nonce + GROUP));
        var w4 = Word(0x80000000u);
        var w5 = Word(0u);
        var w6 = Word(0u);
        var w7 = Word(0u);
        var w8 = Word(0u);
        var w9 = Word(0u);
        var w10 = Word(0u);
        var w11 = Word(0u);
        var w12 = Word(0u);
        var w13 = Word(0u);
        var w14 = Word(0u);
        var w15 = Word(640u);
        var s = to_round_16(before, w3);
        w0 = next(w0, w1, w9, w14);
        s = step(s, K[16] + w0);
        w1 = next(w1, w2, w10, w15);
        s = step(s, K[17] + w1);
        w2 = next(w2, w3, w11, w0);
        s = step(s, K[18] + w2);
        w3 = next(w3, w4, w12, w1);
        s = step(s, K[19] + w3);
        w4 = next(w4, w5, w13, w2);
        s = step(s, K[20] + w4);
        w5 = next(w5, w6, w14, w3);
        s = step(s, K[21] + w5);
        w6 = next(w6, w7, w15, w4);
        s = step(s, K[22] + w6);
        w7 = next(w7, w8, w0, w5);
        s = step(s, K[23] + w7);
        w8 = next(w8, w9, w1, w6);
        s = step(s, K[24] + w8);
        w9 = next(w9, w10, w2, w7);
        s = step(s, K[25] + w9);
        w10 = next(w10, w11, w3, w8);
        s = step(s, K[26] + w10);
        w11 = next(w11, w12, w4, w9);
        s = step(s, K[27] + w11);
        w12 = next(w12, w13, w5, w10);
        s = step(s, K[28] + w12);
        w13 = next(w13, w14, w6, w11);
        s = step(s, K[29] + w13);
        w14 = next(w14, w15, w7, w12);
        s = step(s, K[30] + w14);
        w15 = next(w15, w0, w8, w13);
        s = step(s, K[31] + w15);
        w0 = next(w0, w1, w9, w14);
        s = step(s, K[32] + w0);
        w1 = next(w1, w2, w10, w15);
        s = step(s, K[33] + w1);
        w2 = next(w2, w3, w11, w0);
        s = step(s, K[34] + w2);
        w3 = next(w3, w4, w12, w1);
        s = step(s, K[35] + w3);
        w4 = next(w4, w5, w13, w2);
        s = step(s, K[36] + w4);
        w5 = next(w5, w6, w14, w3);
        s = step(s, K[37] + w5);
        w6 = next(w6, w7, w15, w4);
        s = step(s, K[38] + w6);
        w7 = next(w7, w8, w0, w5);
        s = step(s, K[39] + w7);
        w8 = next(w8, w9, w1, w6);
        s = step(s, K[40] + w8);
        w9 = next(w9, w10, w2, w7);
        s = step(s, K[41] + w9);
        w10 = next(w10, w11, w3, w8);
        s = step(s, K[42] + w10);
        w11 = next(w11, w12, w4, w9);
        s = step(s, K[43] + w11);
        w12 = next(w12, w13, w5, w10);
        s = step(s, K[44] + w12);
        w13 = next(w13, w14, w6, w11);
        s = step(s, K[45] + w13);
        w14 = next(w14, w15, w7, w12);
        s = step(s, K[46] + w14);
        w15 = next(w15, w0, w8, w13);
        s = step(s, K[47] + w15);
        w0 = next(w0, w1, w9, w14);
        s = step(s, K[48] + w0);
        w1 = next(w1, w2, w10, w15);
        s = step(s, K[49] + w1);
        w2 = next(w2, w3, w11, w0);
        s = step(s, K[50] + w2);
        w3 = next(w3, w4, w12, w1);
        s = step(s, K[51] + w3);
        w4 = next(w4, w5, w13, w2);
        s = step(s, K[52] + w4);
        w5 = next(w5, w6, w14, w3);
        s = step(s, K[53] + w5);
        w6 = next(w6, w7, w15, w4);
        s = step(s, K[54] + w6);
        w7 = next(w7, w8, w0, w5);
        s = step(s, K[55] + w7);
        w8 = next(w8, w9, w1, w6);
        s = step(s, K[56] + w8);
        w9 = next(w9, w10, w2, w7);
        s = step(s, K[57] + w9);
        w10 = next(w10, w11, w3, w8);
        s = step(s, K[58] + w10);
        w11 = next(w11, w12, w4, w9);
        s = step(s, K[59] + w11);
        w12 = next(w12, w13, w5, w10);
        s = step(s, K[60] + w12);
        w13 = next(w13, w14, w6, w11);
        s = step(s, K[61] + w13);
        w14 = next(w14, w15, w7, w12);
        s = step(s, K[62] + w14);
        w15 = next(w15, w0, w8, w13);
        s = step(s, K[63] + w15);
        let last = last_word(s, m);
        for (var j = 0u; j < SIDE; j++) {
            if ((lane(last, j) & task.mask) == 0u && done + j * GROUP < todo) {
                report(version, nonce + j * GROUP);
            }
        }
    }
}
