/* The one body of all lane variants. Lanes hold nonces; the message schedule of chunk 2, which the
 * version does not enter, is computed once a step and shared by every version.
 *
 * The including file defines: SCAN_NAME; vec, LANES words wide; WAYS, vectors in flight (1 or 2);
 * SET1 (all lanes one word), ROR, SHR (each word), ADD, XOR3, CH, MAJ; ZERO_LANES(x, mask): one bit
 * for each lane of x that has no bit of mask set.
 */
#include <string.h>

#include "scan_impl.h"
#include "sha256_scalar.h"
#include "ways.inc.h"

enum { STEP = LANES * WAYS };
typedef vec words[64][WAYS]; /* K + W of chunk 2 by round; [3] is W[3] alone */

#define BIG0(x) XOR3(ROR(x, 2), ROR(x, 13), ROR(x, 22))
#define BIG1(x) XOR3(ROR(x, 6), ROR(x, 11), ROR(x, 25))
#define SMALL0(x) XOR3(ROR(x, 7), ROR(x, 18), SHR(x, 3))
#define SMALL1(x) XOR3(ROR(x, 17), ROR(x, 19), SHR(x, 10))

/* Loops of 8 rounds stay loops: fully unrolled, the code outgrows the cache of decoded operations
 * and the CPU waits for its own instructions. */
#if defined(__clang__)
#define KEEP_LOOP _Pragma("clang loop unroll(disable)")
#else
#define KEEP_LOOP _Pragma("GCC unroll 1")
#endif

/* The state turns: a round moves the names, not the words. S(r, 0..7) are a..h before round r;
 * only r mod 8 matters. */
#define S(r, name) s[((name) + 64 - (r)) & 7][way]
#define W(r) w[r][way]

/* Round r of FIPS 180-4. hkw = h + K + W, given by the caller, who may know part of the sum. */
#define ROUND(r, hkw)                                                                      \
    {                                                                                      \
        vec t1 = ADD(ADD(hkw, CH(S(r, 4), S(r, 5), S(r, 6))), BIG1(S(r, 4)));              \
        vec t2 = ADD(BIG0(S(r, 0)), MAJ(S(r, 0), S(r, 1), S(r, 2)));                       \
        S(r, 3) = ADD(S(r, 3), t1);                                                        \
        S(r, 7) = ADD(t1, t2);                                                             \
    }
/* Only the new e: enough for the last rounds before digest word 7. */
#define HALF_ROUND(r, hkw)                                                                 \
    S(r, 3) = ADD(ADD(ADD(hkw, S(r, 3)), CH(S(r, 4), S(r, 5), S(r, 6))), BIG1(S(r, 4)));

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

static void schedule(const struct scan_task *task, uint32_t nonce, words kw) {
    const uint32_t *tail = task->tail, pad = (uint32_t)PAD_BIT;
    const uint32_t w16 = small_sigma0(tail[1]) + tail[0];
    const uint32_t w17 = small_sigma1(HEADER_BITS) + small_sigma0(tail[2]) + tail[1];
    uint32_t nonces[STEP];
    vec w[64][WAYS];
    for (uint32_t i = 0; i < STEP; i++) nonces[i] = byteswap32(nonce + i);
    EACH_WAY(
        memcpy(&kw[3][way], nonces + LANES * way, sizeof(vec));
        for (int r = 4; r < 16; r++) kw[r][way] = SET1(SHA256_K[r]);
        kw[4][way] = SET1(SHA256_K[4] + pad);
        kw[15][way] = SET1(SHA256_K[15] + HEADER_BITS);
        W(16) = SET1(w16);
        W(17) = SET1(w17);
        W(18) = ADD(SMALL0(kw[3][way]), SET1(small_sigma1(w16) + tail[2]));
        W(19) = ADD(kw[3][way], SET1(small_sigma1(w17) + small_sigma0(pad)));
        W(20) = ADD(SMALL1(W(18)), SET1(pad));
        W(21) = SMALL1(W(19));
        W(22) = ADD(SMALL1(W(20)), SET1(HEADER_BITS));
        for (int r = 23; r < 30; r++) W(r) = ADD(SMALL1(W(r - 2)), W(r - 7));
        W(30) = ADD(ADD(SMALL1(W(28)), W(23)), SET1(small_sigma0(HEADER_BITS)));
        W(31) = ADD(ADD(SMALL1(W(29)), W(24)), SET1(small_sigma0(w16) + HEADER_BITS));
    )
    KEEP_LOOP for (int r = 32; r < 64; r++) EACH_WAY(
        W(r) = ADD(ADD(W(r - 16), SMALL0(W(r - 15))), ADD(W(r - 7), SMALL1(W(r - 2))));)
    KEEP_LOOP for (int r = 16; r < 64; r++) EACH_WAY(kw[r][way] = ADD(W(r), SET1(SHA256_K[r]));)
}

#define HASH1_ROUND(r) EACH_WAY(ROUND(r, ADD(S(r, 7), kw[r][way])))
#define HASH1_AT(i) EACH_WAY(ROUND(i, ADD(S(i, 7), kw[r + (i)][way])))
/* W known in words, with every term that is constant left out. */
#define HASH2_KNOWN(r, ...)                                                                \
    EACH_WAY(W(r) = __VA_ARGS__; ROUND(r, ADD(ADD(S(r, 7), SET1(k[r])), W(r))))
#define HASH2_CONSTANT(r, word) EACH_WAY(ROUND(r, ADD(S(r, 7), SET1(k[r] + (word)))))
#define NEXT_WORD(r)                                                                       \
    W(r) = ADD(ADD(W((r) - 16), SMALL0(W((r) - 15))), ADD(W((r) - 7), SMALL1(W((r) - 2))));
#define HASH2_ROUND(r)                                                                     \
    EACH_WAY(NEXT_WORD(r) ROUND(r, ADD(ADD(S(r, 7), SET1(k[r])), W(r))))
#define HASH2_AT(i)                                                                        \
    EACH_WAY(NEXT_WORD(r + (i)) ROUND(i, ADD(ADD(S(i, 7), SET1(k[r + (i)])), W(r + (i)))))
#define HASH2_LAST(r, addend)                                                              \
    EACH_WAY(NEXT_WORD(r) HALF_ROUND(r, ADD(ADD(S(r, 7), SET1(k[r] + (addend))), W(r))))

/* The digest of the header in each lane: w[0..7]. */
static inline void hash1(const struct prepared *version, const words kw, vec w[61][WAYS]) {
    vec s[8][WAYS];
    for (int i = 0; i < 8; i++) EACH_WAY(S(4, i) = SET1(version->state[i]);)
    EACH_WAY(S(4, 0) = ADD(S(4, 0), kw[3][way]); S(4, 4) = ADD(S(4, 4), kw[3][way]);)
    HASH1_ROUND(4) HASH1_ROUND(5) HASH1_ROUND(6) HASH1_ROUND(7)
    KEEP_LOOP for (int r = 8; r < 64; r += 8) {
        HASH1_AT(0) HASH1_AT(1) HASH1_AT(2) HASH1_AT(3)
        HASH1_AT(4) HASH1_AT(5) HASH1_AT(6) HASH1_AT(7)
    }
    for (int i = 0; i < 8; i++) EACH_WAY(W(i) = ADD(S(0, i), SET1(version->midstate[i]));)
}

/* Digest word 7 of the hash of w[0..7]: known after round 60, as the e of that round. */
static inline void hash2(vec w[61][WAYS], vec word7[WAYS]) {
    const uint32_t *init = SHA256_INIT, *k = SHA256_K, pad = (uint32_t)PAD_BIT;
    vec s[8][WAYS];
    uint32_t first[8]; /* after round 0, but for W[0] */
    for (int i = 0; i < 8; i++) first[i] = init[i];
    sha256_round(first, k[0]);
    for (int i = 0; i < 8; i++) EACH_WAY(S(1, i) = SET1(first[i]);)
    EACH_WAY(S(1, 0) = ADD(S(1, 0), W(0)); S(1, 4) = ADD(S(1, 4), W(0));)
    EACH_WAY(ROUND(1, ADD(W(1), SET1(init[6] + k[1]))))
    EACH_WAY(ROUND(2, ADD(W(2), SET1(init[5] + k[2]))))
    EACH_WAY(ROUND(3, ADD(W(3), SET1(init[4] + k[3]))))
    HASH2_KNOWN(4, W(4)) HASH2_KNOWN(5, W(5)) HASH2_KNOWN(6, W(6)) HASH2_KNOWN(7, W(7))
    HASH2_CONSTANT(8, pad) HASH2_CONSTANT(9, 0) HASH2_CONSTANT(10, 0) HASH2_CONSTANT(11, 0)
    HASH2_CONSTANT(12, 0) HASH2_CONSTANT(13, 0) HASH2_CONSTANT(14, 0)
    HASH2_CONSTANT(15, DIGEST_BITS)
    HASH2_KNOWN(16, ADD(SMALL0(W(1)), W(0)))
    HASH2_KNOWN(17, ADD(ADD(SMALL0(W(2)), W(1)), SET1(small_sigma1(DIGEST_BITS))))
    HASH2_KNOWN(18, ADD(ADD(SMALL0(W(3)), W(2)), SMALL1(W(16))))
    HASH2_KNOWN(19, ADD(ADD(SMALL0(W(4)), W(3)), SMALL1(W(17))))
    HASH2_KNOWN(20, ADD(ADD(SMALL0(W(5)), W(4)), SMALL1(W(18))))
    HASH2_KNOWN(21, ADD(ADD(SMALL0(W(6)), W(5)), SMALL1(W(19))))
    HASH2_KNOWN(22, ADD(ADD(ADD(SMALL0(W(7)), W(6)), SET1(DIGEST_BITS)), SMALL1(W(20))))
    HASH2_KNOWN(23, ADD(ADD(ADD(W(7), SET1(small_sigma0(pad))), W(16)), SMALL1(W(21))))
    HASH2_KNOWN(24, ADD(ADD(W(17), SET1(pad)), SMALL1(W(22))))
    HASH2_KNOWN(25, ADD(W(18), SMALL1(W(23))))
    HASH2_KNOWN(26, ADD(W(19), SMALL1(W(24))))
    HASH2_KNOWN(27, ADD(W(20), SMALL1(W(25))))
    HASH2_KNOWN(28, ADD(W(21), SMALL1(W(26))))
    HASH2_KNOWN(29, ADD(W(22), SMALL1(W(27))))
    HASH2_KNOWN(30, ADD(ADD(W(23), SET1(small_sigma0(DIGEST_BITS))), SMALL1(W(28))))
    HASH2_KNOWN(31, ADD(ADD(ADD(SMALL0(W(16)), SET1(DIGEST_BITS)), W(24)), SMALL1(W(29))))
    KEEP_LOOP for (int r = 32; r < 56; r += 8) {
        HASH2_AT(0) HASH2_AT(1) HASH2_AT(2) HASH2_AT(3)
        HASH2_AT(4) HASH2_AT(5) HASH2_AT(6) HASH2_AT(7)
    }
    HASH2_ROUND(56)
    HASH2_LAST(57, 0) HASH2_LAST(58, 0) HASH2_LAST(59, 0) HASH2_LAST(60, init[7])
    EACH_WAY(word7[way] = S(61, 4);)
}

/* One bit for each lane whose word 7 has no bit of zero_bits set. */
static inline uint32_t survivors(const struct prepared *version, const words kw,
                                 uint32_t zero_bits) {
    vec w[61][WAYS], word7[WAYS];
    uint32_t left = 0;
    hash1(version, kw, w);
    hash2(w, word7);
    EACH_WAY(left |= (uint32_t)ZERO_LANES(word7[way], zero_bits) << LANES * way;)
    return left;
}

#include "scan_loop.inc.h"
