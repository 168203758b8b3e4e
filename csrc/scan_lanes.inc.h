/* What all lane variants share. Lanes hold nonces; the message schedule of chunk 2, which the version
 * does not enter, is computed once a step and shared by every version.
 *
 * The including file defines: vec, LANES words wide; SET1 (all lanes one word), ROR, SHR (each word),
 * ADD, XOR3, CH, MAJ; ZERO_LANES(x, mask): one bit for each lane of x that has no bit of mask set; and
 * may define ROUND_E, ROUND_A. The build defines the shape: WAYS, vectors in flight; LOOPS for
 * hash_loops.inc.h, else hash_straight.inc.h.
 */
#include <string.h>

#include "scan_impl.h"
#include "sha256_scalar.h"
#include "shape.h"
#include "ways.inc.h"

#ifdef LOOPS
#define SCHEDULES_ITSELF 1
#define SCHEDULED_BY_ONE 0
#else
#define SCHEDULES_ITSELF 0
#define SCHEDULED_BY_ONE 32
#endif

enum { STEP = LANES * WAYS };

/* What the nonces of a step bring, and what stays from step to step. */
typedef struct {
    vec kw[64][WAYS];  /* K + W of chunk 2 by round; [3] is W[3] alone */
    vec w[64][WAYS];   /* its words from 16 on */
    vec kw2[16][WAYS]; /* K + W of hash 2 where constant: 8 to 15 */
    vec w2[61][WAYS];  /* the words of hash 2 */
    int kept;          /* 0: one version alone, whose rounds schedule words 32 to 63 for themselves */
} words[1];

#define BIG0(x) XOR3(ROR(x, 2), ROR(x, 13), ROR(x, 22))
#define BIG1(x) XOR3(ROR(x, 6), ROR(x, 11), ROR(x, 25))
#define SMALL0(x) XOR3(ROR(x, 7), ROR(x, 18), SHR(x, 3))
#define SMALL1(x) XOR3(ROR(x, 17), ROR(x, 19), SHR(x, 10))

/* The state turns: a round moves the names, not the words. S(r, 0..7) are a..h before round r;
 * only r mod 8 matters. */
#define S(r, name) s[((name) + 64 - (r)) & 7][way]
#define W(r) w[r][way]

/* Round r of FIPS 180-4. hkw = h + K + W, given by the caller, who may know part of the sum.
 * ROUND_E leaves T1 in the place of h and the new e in that of d; ROUND_A makes T1 the new a. */
#ifndef ROUND_E
#define ROUND_E(r, hkw)                                                                    \
    S(r, 7) = ADD(ADD(hkw, CH(S(r, 4), S(r, 5), S(r, 6))), BIG1(S(r, 4)));                 \
    S(r, 3) = ADD(S(r, 3), S(r, 7));
#define ROUND_A(r)                                                                         \
    S(r, 7) = ADD(S(r, 7), ADD(BIG0(S(r, 0)), MAJ(S(r, 0), S(r, 1), S(r, 2))));
#endif
/* Only the new e: enough for the last rounds before digest word 7. */
#define HALF_ROUND(r, hkw)                                                                 \
    S(r, 3) = ADD(ADD(ADD(hkw, S(r, 3)), CH(S(r, 4), S(r, 5), S(r, 6))), BIG1(S(r, 4)));
/* Round r of every way, after what makes its word: way by way, or first every new e, for which the
 * next round waits, then every new a. */
#ifdef E_BEFORE_A
#define ROUND(r, hkw, ...) EACH_WAY(__VA_ARGS__ ROUND_E(r, hkw)) EACH_WAY(ROUND_A(r))
#else
#define ROUND(r, hkw, ...) EACH_WAY(__VA_ARGS__ ROUND_E(r, hkw) ROUND_A(r))
#endif

#define NEXT_WORD(r)                                                                       \
    W(r) = ADD(ADD(W((r) - 16), SMALL0(W((r) - 15))), ADD(W((r) - 7), SMALL1(W((r) - 2))));

/* What a version brings: the state after round 3 but for W[3], which a and e take as an addend. */
struct prepared {
    uint32_t midstate[8], state[8];
};

static void prepare(const struct scan_task *task, uint32_t version, struct prepared *out) {
    for (int i = 0; i < 8; i++)
        out->midstate[i] = out->state[i] = task->midstates[8 * (size_t)version + (size_t)i];
    for (int r = 0; r < 4; r++)
        sha256_round(out->state, SHA256_K[r] + (r < 3 ? task->tail[r] : 0));
}

/* Words 16 and 17 of chunk 2, which the nonce does not enter. */
static inline uint32_t word16(const uint32_t tail[3]) { return small_sigma0(tail[1]) + tail[0]; }

static inline uint32_t word17(const uint32_t tail[3]) {
    return small_sigma1(HEADER_BITS) + small_sigma0(tail[2]) + tail[1];
}

/* Once a scan: all that no nonce changes. */
static void constants(const struct scan_task *task, words out) {
    const uint32_t w16 = word16(task->tail), w17 = word17(task->tail);
    out->kept = task->n_versions > 1 || !SCHEDULES_ITSELF;
    for (int way = 0; way < WAYS; way++) {
        for (int r = 4; r < 16; r++) {
            const uint32_t pad = (uint32_t)PAD_BIT;
            const uint32_t inner = r == 4 ? pad : r == 15 ? HEADER_BITS : 0;
            const uint32_t outer = r == 8 ? pad : r == 15 ? DIGEST_BITS : 0;
            out->kw[r][way] = SET1(SHA256_K[r] + inner);
            out->kw2[r][way] = SET1(SHA256_K[r] + outer);
            out->w2[r][way] = SET1(outer);
        }
        out->w[16][way] = SET1(w16);
        out->w[17][way] = SET1(w17);
        out->kw[16][way] = SET1(SHA256_K[16] + w16);
        out->kw[17][way] = SET1(SHA256_K[17] + w17);
    }
}

/* Once a step: chunk 2's words for nonce and those after it, one a lane. */
HOT void schedule(const struct scan_task *task, uint32_t nonce, words out) {
    static const uint32_t lanes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const uint32_t *tail = task->tail, pad = (uint32_t)PAD_BIT;
    const uint32_t w16 = word16(tail), w17 = word17(tail);
    vec(*kw)[WAYS] = out->kw, (*w)[WAYS] = out->w, lane;
    memcpy(&lane, lanes, sizeof lane);
#define KEEP(r) kw[r][way] = ADD(W(r), SET1(SHA256_K[r]));
    EACH_WAY(
        const vec number = ADD(lane, SET1(nonce + LANES * way));
        const vec w3 = CH(SET1(0xff00ff00u), ROR(number, 8), ROR(number, 24)); /* bytes swapped */
        kw[3][way] = w3;
        W(18) = ADD(SMALL0(w3), SET1(small_sigma1(w16) + tail[2]));
        W(19) = ADD(w3, SET1(small_sigma1(w17) + small_sigma0(pad)));
        W(20) = ADD(SMALL1(W(18)), SET1(pad));
        W(21) = SMALL1(W(19));
        W(22) = ADD(SMALL1(W(20)), SET1(HEADER_BITS));
        W(23) = ADD(SMALL1(W(21)), SET1(w16));
        W(24) = ADD(SMALL1(W(22)), SET1(w17));
        W(25) = ADD(SMALL1(W(23)), W(18));
        W(26) = ADD(SMALL1(W(24)), W(19));
        W(27) = ADD(SMALL1(W(25)), W(20));
        W(28) = ADD(SMALL1(W(26)), W(21));
        W(29) = ADD(SMALL1(W(27)), W(22));
        W(30) = ADD(ADD(SMALL1(W(28)), W(23)), SET1(small_sigma0(HEADER_BITS)));
        W(31) = ADD(ADD(SMALL1(W(29)), W(24)), SET1(small_sigma0(w16) + HEADER_BITS));
        KEEP(18) KEEP(19) KEEP(20) KEEP(21) KEEP(22) KEEP(23) KEEP(24)
        KEEP(25) KEEP(26) KEEP(27) KEEP(28) KEEP(29) KEEP(30) KEEP(31)
    )
    if (!out->kept) return;
    KEEP_LOOP for (int r = 32; r < 64; r++) {
        TURNS(32, SCHEDULED_BY_ONE)
        EACH_WAY(NEXT_WORD(r) KEEP(r))
    }
}

/* Rounds whose place in the loop is i; those with a word to make, and those of known words. */
#define HASH1_ROUND(r) ROUND(r, ADD(S(r, 7), kw[r][way]), )
#define HASH1_AT(i) ROUND(i, ADD(S(i, 7), kw[r + (i)][way]), )
#define WORD_ROUND(r, ...) ROUND(r, ADD(ADD(S(r, 7), SET1(SHA256_K[r])), W(r)), __VA_ARGS__)
#define WORD_AT(i)                                                                         \
    ROUND(i, ADD(ADD(S(i, 7), SET1(SHA256_K[r + (i)])), W(r + (i))), NEXT_WORD(r + (i)))
#define EIGHT(at) at(0) at(1) at(2) at(3) at(4) at(5) at(6) at(7)

/* State and words at the start of hash 1 and of hash 2, after round 0 whose word alone is unknown. */
#define BEGIN_HASH1                                                                        \
    UNROLL for (int i = 0; i < 8; i++) EACH_WAY(S(4, i) = SET1(version->state[i]);)        \
    EACH_WAY(S(4, 0) = ADD(S(4, 0), kw[3][way]); S(4, 4) = ADD(S(4, 4), kw[3][way]);)
#define END_HASH1                                                                          \
    UNROLL for (int i = 0; i < 8; i++)                                                     \
        EACH_WAY(W(i) = ADD(S(0, i), SET1(version->midstate[i]));)
#define BEGIN_HASH2                                                                        \
    UNROLL for (int i = 0; i < 8; i++) EACH_WAY(S(1, i) = SET1(SHA256_ROUND_0[i]);)        \
    EACH_WAY(S(1, 0) = ADD(S(1, 0), W(0)); S(1, 4) = ADD(S(1, 4), W(0));)                  \
    ROUND(1, ADD(W(1), SET1(SHA256_INIT[6] + SHA256_K[1])), )                              \
    ROUND(2, ADD(W(2), SET1(SHA256_INIT[5] + SHA256_K[2])), )                              \
    ROUND(3, ADD(W(3), SET1(SHA256_INIT[4] + SHA256_K[3])), )                              \
    WORD_ROUND(4, ) WORD_ROUND(5, ) WORD_ROUND(6, ) WORD_ROUND(7, )
/* Rounds 56 to 60; then digest word 7 is known, as the e of round 60. */
#define LAST(r, addend)                                                                    \
    EACH_WAY(NEXT_WORD(r) HALF_ROUND(r, ADD(ADD(S(r, 7), SET1(SHA256_K[r] + (addend))), W(r))))
#define END_HASH2                                                                          \
    WORD_ROUND(56, NEXT_WORD(56))                                                          \
    LAST(57, 0) LAST(58, 0) LAST(59, 0) LAST(60, SHA256_INIT[7])                           \
    EACH_WAY(left |= (uint64_t)ZERO_LANES(S(61, 4), zero_bits) << LANES * way;)

#ifdef LOOPS
#include "hash_loops.inc.h"
#else
#include "hash_straight.inc.h"
#endif

#include "scan_loop.inc.h"
