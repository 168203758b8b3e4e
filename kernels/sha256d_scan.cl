/* SHA-256d over 80-byte headers: which (version, nonce) pairs may meet the target?
 *
 * OpenCL C 1.2, no extension. Words are SHA-256's big-endian words as host integers (FIPS 180-4).
 * Two kernels, one body; a build makes one of them (-D SINGLE makes the second):
 *
 *   scan_shared   a lane holds one version and walks NONCES nonces that are the same for the whole
 *                 work-group. Chunk 2's schedule depends on the nonce alone, so the group expands
 *                 it once into local memory, round constants added, for all its versions.
 *   scan_single   a lane holds one nonce of one version and rolls its own schedule: for work
 *                 whose version must not be touched.
 *
 * A lane reports a candidate when the last state word has the zero bits that the target demands
 * (`mask`); the host compares all 256 bits. Candidates beyond CAPACITY are counted, not stored:
 * the host sees the count and asks again for a smaller range.
 *
 * Written as plain shifts and logic: compilers know these shapes (v_alignbit, v_bfi, v_xor3,
 * v_add3; SHF, LOP3, IADD3; vprord, vpternlog), and no library call is needed.
 */
#ifndef GROUP
#define GROUP 128 /* items of a work-group */
#endif
#ifndef NONCES
#define NONCES 32 /* of a work-group (scan_single: of an item); a power of two <= 256 */
#endif
#ifndef VECTOR
#define VECTOR 1 /* lanes of an item: 1, 2, 4, 8 or 16 */
#endif
#ifndef UNROLL
#define UNROLL 1 /* nonces a lane of scan_shared hashes side by side: 1 or 2 */
#endif
#ifndef CAPACITY
#define CAPACITY 4096 /* candidates the buffer holds */
#endif

#define GLUE2(a, b) a##b
#define GLUE(a, b) GLUE2(a, b)
#if VECTOR == 1
typedef uint lanes;
#define ANY_ZERO(x) ((x) == 0u)
#define LANE_STEP 0u
#else
typedef GLUE(uint, VECTOR) lanes;
#define ANY_ZERO(x) any((x) == 0u)
#if VECTOR == 2
#define LANE_STEP (lanes)(0, 1)
#elif VECTOR == 4
#define LANE_STEP (lanes)(0, 1, 2, 3)
#elif VECTOR == 8
#define LANE_STEP (lanes)(0, 1, 2, 3, 4, 5, 6, 7)
#else
#define LANE_STEP (lanes)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#endif
#endif

/* Only ever indexed by literals, so each becomes an immediate. */
__constant uint K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* Vega has no v_xor3, but v_xad (xor, then add): worth it when the compiler cannot reorder the sum.
 * gfx900: 2,459 -> 2,400 instructions a hash. */
#ifdef __GFX9__
#define HOLD(x) __asm__("" : "+v"(x))
#else
#define HOLD(x)
#endif

/* NVIDIA adds on the pipe that also shifts and does logic; the one that multiplies idles. With
 * -D SPREAD most sums are multiply-adds by `one`, which the compiler cannot know to be 1. sm_86:
 * 2,095 -> 2,449 instructions a hash, but 1,888 -> 1,591 on the busy pipe: tuning measures it. */
#ifdef SPREAD
#define ADD(a, b) ((a) * one + (b))
#else
#define ADD(a, b) ((a) + (b))
#endif

#define ROTR(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define BYTES_SWAPPED(x) \
    ((x) << 24 | ((x) & 0xff00u) << 8 | ((x) >> 8 & 0xff00u) | (x) >> 24)
#define SUM0(x) (ROTR(x, 2) ^ ROTR(x, 13) ^ ROTR(x, 22))
#define SUM1(x) (ROTR(x, 6) ^ ROTR(x, 11) ^ ROTR(x, 25))
#define SIG0(x) (ROTR(x, 7) ^ ROTR(x, 18) ^ (x) >> 3)
#define SIG1(x) (ROTR(x, 17) ^ ROTR(x, 19) ^ (x) >> 10)
/* One function, two forms. AMD makes either a v_bfi, but LLVM folds ~(x + constant) in the first
 * and makes xor-and-add of a lone sum with the second: two instructions more each time. CPUs with
 * vpternlog want the second, which stays one instruction there. */
#define CHX(e, f, g) ((g) ^ ((e) & ((f) ^ (g))))
#if VECTOR == 1
#define CH(e, f, g) (((e) & (f)) | (~(e) & (g)))
#else
#define CH(e, f, g) CHX(e, f, g)
#endif
#define MAJ(a, b, c) (((a) & (b)) | ((c) & ((a) | (b))))

/* One round; the caller renames the registers instead of moving them. */
#define ROUND_CH(a, b, c, d, e, f, g, h, kw, ch) \
    do {                                         \
        lanes t = ADD(ADD(h, ch), kw);           \
        HOLD(t);                                 \
        t = ADD(t, SUM1(e));                     \
        d = ADD(d, t);                           \
        h = ADD(ADD(t, MAJ(a, b, c)), SUM0(a));  \
    } while (0)
#define ROUND(a, b, c, d, e, f, g, h, kw) ROUND_CH(a, b, c, d, e, f, g, h, kw, CH(e, f, g))
#define ROUND_X(a, b, c, d, e, f, g, h, kw) ROUND_CH(a, b, c, d, e, f, g, h, kw, CHX(e, f, g))
/* The same for the last rounds of the second hash, whose new `a` nobody reads. */
#define ROUND_E(d, e, f, g, h, kw)                      \
    do {                                                \
        lanes t = ADD(ADD(ADD(d, h), CH(e, f, g)), kw); \
        HOLD(t);                                        \
        d = ADD(t, SUM1(e));                            \
    } while (0)

/* Four rounds; the second call of a pair starts from the renamed registers. */
#define ROUNDS4(a, b, c, d, e, f, g, h, kw0, kw1, kw2, kw3) \
    ROUND(a, b, c, d, e, f, g, h, kw0);                     \
    ROUND(h, a, b, c, d, e, f, g, kw1);                     \
    ROUND(g, h, a, b, c, d, e, f, kw2);                     \
    ROUND(f, g, h, a, b, c, d, e, kw3)
#define ROUNDS8(kw0, kw1, kw2, kw3, kw4, kw5, kw6, kw7)          \
    ROUNDS4(a, b, c, d, e, f, g, h, kw0, kw1, kw2, kw3); \
    ROUNDS4(e, f, g, h, a, b, c, d, kw4, kw5, kw6, kw7)
#define ROUNDS8_LOW(t)                                                                     \
    ROUNDS8(K[t] + w0, K[t + 1] + w1, K[t + 2] + w2, K[t + 3] + w3, K[t + 4] + w4, \
            K[t + 5] + w5, K[t + 6] + w6, K[t + 7] + w7)
#define ROUNDS8_HIGH(t)                                                                         \
    ROUNDS8(K[t] + w8, K[t + 1] + w9, K[t + 2] + w10, K[t + 3] + w11, K[t + 4] + w12, \
            K[t + 5] + w13, K[t + 6] + w14, K[t + 7] + w15)

/* The rolling schedule: sixteen words, each replaced by the one sixteen rounds on. */
#define NEXT(w0, w1, w9, w14)                 \
    do {                                      \
        lanes t = ADD(ADD(w0, w9), SIG0(w1)); \
        HOLD(t);                              \
        w0 = ADD(t, SIG1(w14));               \
    } while (0)
#define NEXT8_LOW          \
    NEXT(w0, w1, w9, w14);  \
    NEXT(w1, w2, w10, w15); \
    NEXT(w2, w3, w11, w0);  \
    NEXT(w3, w4, w12, w1);  \
    NEXT(w4, w5, w13, w2);  \
    NEXT(w5, w6, w14, w3);  \
    NEXT(w6, w7, w15, w4);  \
    NEXT(w7, w8, w0, w5)
#define NEXT8_HIGH          \
    NEXT(w8, w9, w1, w6);    \
    NEXT(w9, w10, w2, w7);   \
    NEXT(w10, w11, w3, w8);  \
    NEXT(w11, w12, w4, w9);  \
    NEXT(w12, w13, w5, w10); \
    NEXT(w13, w14, w6, w11); \
    NEXT(w14, w15, w7, w12); \
    NEXT(w15, w0, w8, w13)
#define CHUNK2_WORDS(t0, t1, t2, nonce)                                      \
    lanes w0 = t0, w1 = t1, w2 = t2, w3 = nonce, w4 = 0x80000000u, w5 = 0u;  \
    lanes w6 = 0u, w7 = 0u, w8 = 0u, w9 = 0u, w10 = 0u, w11 = 0u, w12 = 0u; \
    lanes w13 = 0u, w14 = 0u, w15 = 640u

/* Second hash over the eight words of the first: its last state word, with which the hash ends.
 * That word is final after round 60; the new `a` of rounds 57..60 cannot reach it. */
static __attribute__((always_inline)) lanes last_word(uint one, lanes w0, lanes w1, lanes w2,
                                                      lanes w3, lanes w4, lanes w5,
                                                      lanes w6, lanes w7) {
    (void)one; /* unused without SPREAD */
    lanes a = 0x6a09e667u, b = 0xbb67ae85u, c = 0x3c6ef372u, d = 0xa54ff53au;
    lanes e = 0x510e527fu, f = 0x9b05688cu, g = 0x1f83d9abu, h = 0x5be0cd19u;
    lanes w8 = 0x80000000u, w9 = 0u, w10 = 0u, w11 = 0u, w12 = 0u, w13 = 0u, w14 = 0u, w15 = 256u;
    ROUND(a, b, c, d, e, f, g, h, K[0] + w0);
    ROUND_X(h, a, b, c, d, e, f, g, K[1] + w1);
    ROUND_X(g, h, a, b, c, d, e, f, K[2] + w2);
    ROUND_X(f, g, h, a, b, c, d, e, K[3] + w3);
    ROUND_X(e, f, g, h, a, b, c, d, K[4] + w4);
    ROUND(d, e, f, g, h, a, b, c, K[5] + w5);
    ROUND(c, d, e, f, g, h, a, b, K[6] + w6);
    ROUND(b, c, d, e, f, g, h, a, K[7] + w7);
    ROUNDS8_HIGH(8);
    NEXT8_LOW;
    ROUNDS8_LOW(16);
    NEXT8_HIGH;
    ROUNDS8_HIGH(24);
    NEXT8_LOW;
    ROUNDS8_LOW(32);
    NEXT8_HIGH;
    ROUNDS8_HIGH(40);
    NEXT8_LOW;
    ROUNDS8_LOW(48);
    NEXT8_HIGH;
    ROUND(a, b, c, d, e, f, g, h, K[56] + w8);
    ROUND_E(c, d, e, f, g, K[57] + w9);
    ROUND_E(b, c, d, e, f, K[58] + w10);
    ROUND_E(a, b, c, d, e, K[59] + w11);
    ROUND_E(h, a, b, c, d, (K[60] + 0x5be0cd19u) + w12);
    return h;
}

static void report(__global uint *found, uint version, uint nonce) {
    const uint slot = atomic_inc(found);
    if (slot < CAPACITY) {
        found[1 + 2 * slot] = version;
        found[2 + 2 * slot] = nonce;
    }
}

/* Chunk 2 up to the nonce: midstate m0..m7, then rounds 0..2 and what of round 3 is known. */
#define BEFORE_NONCE(load)                                                     \
    const lanes m0 = load(0), m1 = load(1), m2 = load(2), m3 = load(3);        \
    const lanes m4 = load(4), m5 = load(5), m6 = load(6), m7 = load(7);        \
    lanes a = m0, b = m1, c = m2, d = m3, e = m4, f = m5, g = m6, h = m7;      \
    ROUND(a, b, c, d, e, f, g, h, K[0] + t0);                                  \
    ROUND(h, a, b, c, d, e, f, g, K[1] + t1);                                  \
    ROUND(g, h, a, b, c, d, e, f, K[2] + t2);                                  \
    const lanes s0 = f, s1 = g, s2 = h, s4 = b, s5 = c, s6 = d;                \
    const lanes without_nonce = e + SUM1(b) + CH(b, c, d) + K[3];              \
    const lanes new_e = a + without_nonce;                                     \
    const lanes new_a = without_nonce + SUM0(f) + MAJ(f, g, h)
/* Rounds 3..15, whose words are the nonce, padding and the length. */
#define TO_ROUND_16(nonce)                                                       \
    e = new_a + nonce, f = s0, g = s1, h = s2;                                   \
    a = new_e + nonce, b = s4, c = s5, d = s6;                                   \
    ROUNDS4(e, f, g, h, a, b, c, d, K[4] + 0x80000000u, K[5], K[6], K[7]); \
    ROUNDS8(K[8], K[9], K[10], K[11], K[12], K[13], K[14], K[15] + 640u)
#define SECOND_HASH \
    last_word(one, a + m0, b + m1, c + m2, d + m3, e + m4, f + m5, g + m6, h + m7)

#ifndef SINGLE
#define PUT8(t, w0, w1, w2, w3, w4, w5, w6, w7) \
    KW_PUT(t, w0);                              \
    KW_PUT(t + 1, w1);                          \
    KW_PUT(t + 2, w2);                          \
    KW_PUT(t + 3, w3);                          \
    KW_PUT(t + 4, w4);                          \
    KW_PUT(t + 5, w5);                          \
    KW_PUT(t + 6, w6);                          \
    KW_PUT(t + 7, w7)
#if VECTOR == 1
/* 48 words a nonce, padded to 13 quads: writes then spread over the banks, reads are broadcasts. */
#define KW_SIZE (NONCES * 52)
#define KW_OF(i) (kw + (i) * 52)
#define KW_PUT(t, w) put[t - 16] = w + K[t]
#define KW_ROUNDS4(a, b, c, d, e, f, g, h, i, t)                             \
    do {                                                                     \
        const uint4 q = ((__local const uint4 *)kw)[(i) * 13 + (t - 16) / 4]; \
        ROUNDS4(a, b, c, d, e, f, g, h, q.x, q.y, q.z, q.w);                 \
    } while (0)
#else
/* CPUs: word by word, so that a vector of nonces is stored at once and one word is broadcast. */
#define KW_SIZE (NONCES * 48)
#define KW_OF(i) (kw + (i))
#define KW_PUT(t, w) *(__local lanes *)(put + (t - 16) * NONCES) = w + K[t]
#define KW_AT(i, t) kw[(t - 16) * NONCES + (i)]
#define KW_ROUNDS4(a, b, c, d, e, f, g, h, i, t)                                        \
    ROUNDS4(a, b, c, d, e, f, g, h, KW_AT(i, t), KW_AT(i, t + 1), KW_AT(i, t + 2), \
            KW_AT(i, t + 3))
#endif
#define KW_ROUNDS8(i, t)                      \
    KW_ROUNDS4(a, b, c, d, e, f, g, h, i, t); \
    KW_ROUNDS4(e, f, g, h, a, b, c, d, i, t + 4)

/* Two hashes side by side let a lane go on with one while an instruction of the other is under way,
 * for twice the code and more registers: tuning measures it. Pairs start at even nonces, since a
 * block's schedules end at one; a range that starts or ends inside a pair hashes the rest of it in
 * vain. */
#if UNROLL == 1
#define IN_RANGE(i) 1
#else
#define IN_RANGE(i) ((i) >= skip && (i) < end)
#endif
#define HASH(left, i)                  \
    TO_ROUND_16(first_word + ((i) << 24)); \
    KW_ROUNDS8(i, 16);                 \
    KW_ROUNDS8(i, 24);                 \
    KW_ROUNDS8(i, 32);                 \
    KW_ROUNDS8(i, 40);                 \
    KW_ROUNDS8(i, 48);                 \
    KW_ROUNDS8(i, 56);                 \
    const lanes left = SECOND_HASH & mask
#define REPORT(left, i)                                                             \
    if (ANY_ZERO(left))                                                             \
        for (uint lane = 0; lane < VECTOR; ++lane)                                  \
            if (((const uint *)&left)[lane] == 0u && version + lane < versions && IN_RANGE(i)) \
                report(found, version + lane, first + (i))

/* Chunk 2's schedule for a vector of nonces, with the round constants, words 16..63. */
static void expand(uint one, __local uint *put, uint t0, uint t1, uint t2, lanes nonce) {
    (void)one;
    CHUNK2_WORDS(t0, t1, t2, nonce);
    NEXT8_LOW;
    PUT8(16, w0, w1, w2, w3, w4, w5, w6, w7);
    NEXT8_HIGH;
    PUT8(24, w8, w9, w10, w11, w12, w13, w14, w15);
    NEXT8_LOW;
    PUT8(32, w0, w1, w2, w3, w4, w5, w6, w7);
    NEXT8_HIGH;
    PUT8(40, w8, w9, w10, w11, w12, w13, w14, w15);
    NEXT8_LOW;
    PUT8(48, w0, w1, w2, w3, w4, w5, w6, w7);
    NEXT8_HIGH;
    PUT8(56, w8, w9, w10, w11, w12, w13, w14, w15);
}

/* midstates[8][stride]: word by word, padded with any state to whole work-groups;
 * t0..t2: header bytes 64..75; nonces start .. start + count - 1 of the header, 0 < count < 2**31;
 * one: 1; found[0]: number of candidates, then pairs (index of the version, nonce).
 * Work-groups: (blocks of NONCES touched by the range, ceil(versions / (GROUP * VECTOR))).
 *
 * The header holds the nonce little-endian, so its word is the nonce with bytes swapped. A block
 * starts at a multiple of NONCES <= 256: within it only the word's top byte counts up. */
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void scan_shared(
    __global const uint *restrict midstates, const uint stride, const uint versions, const uint t0,
    const uint t1, const uint t2, const uint start, const uint count, const uint mask,
    const uint one, __global uint *restrict found) {
    __local uint kw[KW_SIZE] __attribute__((aligned(64)));

    const uint item = get_local_id(0), block = get_group_id(0) * NONCES, low = start % NONCES;
    const uint first = start - low + block, first_word = BYTES_SWAPPED(first);
    const uint skip = block == 0 ? low : 0, end = min((uint)NONCES, low + count - block);
    for (uint i = item * VECTOR; i < NONCES; i += GROUP * VECTOR)
        expand(one, KW_OF(i), t0, t1, t2, first_word + ((i + LANE_STEP) << 24));
    barrier(CLK_LOCAL_MEM_FENCE);

    const uint version = (get_group_id(1) * GROUP + item) * VECTOR;
#define LOAD_LANES(i) (*(__global const lanes *)(midstates + (i) * stride + version))
    BEFORE_NONCE(LOAD_LANES);
    for (uint i = skip / UNROLL * UNROLL; i < end; i += UNROLL) {
        HASH(left, i);
#if UNROLL == 2
        HASH(left_too, i + 1);
        REPORT(left_too, i + 1);
#endif
        REPORT(left, i);
    }
}

#else
/* The same arguments. Work-groups: (ceil(count / (GROUP * VECTOR * NONCES)), versions). */
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void scan_single(
    __global const uint *restrict midstates, const uint stride, const uint versions, const uint t0,
    const uint t1, const uint t2, const uint start, const uint count, const uint mask,
    const uint one, __global uint *restrict found) {

    (void)versions; /* one work-group row each: no padding to leave out */
    const uint version = get_group_id(1), step = GROUP * VECTOR;
    const uint skipped = get_group_id(0) * step * NONCES, mine = get_local_id(0) * VECTOR;
    const uint todo = min((uint)(step * NONCES), count - skipped);
#define LOAD_ONE(i) midstates[(i) * stride + version]
    BEFORE_NONCE(LOAD_ONE);
    for (uint done = 0; done < todo; done += step) {
        const uint nonce = start + skipped + done + mine;
        CHUNK2_WORDS(t0, t1, t2, BYTES_SWAPPED(nonce + LANE_STEP));
        TO_ROUND_16(w3);
        NEXT8_LOW;
        ROUNDS8_LOW(16);
        NEXT8_HIGH;
        ROUNDS8_HIGH(24);
        NEXT8_LOW;
        ROUNDS8_LOW(32);
        NEXT8_HIGH;
        ROUNDS8_HIGH(40);
        NEXT8_LOW;
        ROUNDS8_LOW(48);
        NEXT8_HIGH;
        ROUNDS8_HIGH(56);
        const lanes left = SECOND_HASH & mask;
        if (ANY_ZERO(left))
            for (uint lane = 0; lane < VECTOR; ++lane)
                if (((const uint *)&left)[lane] == 0u && done + mine + lane < todo)
                    report(found, version, nonce + lane);
    }
}
#endif
