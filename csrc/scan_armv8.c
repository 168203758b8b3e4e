/* The ARMv8 SHA-2 extension: four rounds with two instructions; WAYS hashes are in flight.
 *
 * A state is two registers, abcd and efgh, a and e in lane 0 (Arm ARM, SHA256H). The hashes in
 * flight are WAYS nonces of one version; chunk 2's schedule is shared by all versions.
 */
#include <arm_neon.h>

#include "scan_impl.h"
#include "sha256_scalar.h"

#include "shape.h"
#include "ways.inc.h"

#define VARIANT armv8
enum { STEP = WAYS };
typedef uint32x4_t vec;
typedef vec words[16][WAYS]; /* K + W of chunk 2 by group of four rounds */

static inline vec vec4(uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3) {
    const uint32_t w[4] = {w0, w1, w2, w3};
    return vld1q_u32(w);
}

static inline vec k4(int group) { return vld1q_u32(&SHA256_K[4 * group]); }

/* What a version brings: its midstate, and the state after round 3 but for W[3]. */
struct prepared {
    vec mid_abcd, mid_efgh, abcd, efgh;
};

static void prepare(const struct scan_task *task, uint32_t version, struct prepared *out) {
    const uint32_t *mid = task->midstates + 8 * (size_t)version;
    uint32_t s[8];
    for (int i = 0; i < 8; i++) s[i] = mid[i];
    for (int r = 0; r < 4; r++) sha256_round(s, SHA256_K[r] + (r < 3 ? task->tail[r] : 0));
    out->mid_abcd = vld1q_u32(mid);
    out->mid_efgh = vld1q_u32(mid + 4);
    out->abcd = vld1q_u32(s);
    out->efgh = vld1q_u32(s + 4);
}

#define M(g) m[(g) & 3][way]
/* Words 4g .. 4g + 3, in place of the words 16 before them. */
#define NEXT_WORDS(g)                                                                      \
    EACH_WAY(M(g) = vsha256su1q_u32(vsha256su0q_u32(M(g), M(g + 1)), M(g + 2), M(g + 3));)

static void constants(const struct scan_task *task, words kw) { (void)task, (void)kw; }

/* K + W of chunk 2 for WAYS nonces; kw[0] is W[3] where it enters after round 3: in a and in e. */
HOT void schedule(const struct scan_task *task, uint32_t nonce, words kw) {
    vec m[4][WAYS];
    EACH_WAY(
        const uint32_t w3 = byteswap32(nonce + way);
        M(0) = vec4(task->tail[0], task->tail[1], task->tail[2], w3);
        M(1) = vec4((uint32_t)PAD_BIT, 0, 0, 0);
        M(2) = vdupq_n_u32(0);
        M(3) = vec4(0, 0, 0, HEADER_BITS);
        kw[0][way] = vec4(w3, 0, 0, 0);
        kw[1][way] = vaddq_u32(M(1), k4(1));
        kw[2][way] = k4(2);
        kw[3][way] = vaddq_u32(M(3), k4(3));
    )
#define GROUP(g) NEXT_WORDS(g) EACH_WAY(kw[g][way] = vaddq_u32(M(g), k4(g));)
    GROUP(4) GROUP(5) GROUP(6) GROUP(7) GROUP(8) GROUP(9)
    GROUP(10) GROUP(11) GROUP(12) GROUP(13) GROUP(14) GROUP(15)
}

#define ROUNDS(kw)                                                                         \
    EACH_WAY(                                                                              \
        const vec before = abcd[way];                                                      \
        const vec sums = kw;                                                               \
        abcd[way] = vsha256hq_u32(abcd[way], efgh[way], sums);                             \
        efgh[way] = vsha256h2q_u32(efgh[way], before, sums);)
#define HASH1(g) ROUNDS(kw[g][way])
#define HASH2(g) ROUNDS(vaddq_u32(M(g), k4(g)))
#define HASH2_NEXT(g) NEXT_WORDS(g) HASH2(g)

/* One bit for each way whose word 7 has no bit of zero_bits set. */
HOT uint64_t survivors(const struct prepared *version, words kw, uint32_t zero_bits) {
    uint64_t left = 0;
    vec abcd[WAYS], efgh[WAYS], m[4][WAYS];
    EACH_WAY(
        abcd[way] = vaddq_u32(version->abcd, kw[0][way]);
        efgh[way] = vaddq_u32(version->efgh, kw[0][way]);
    )
    HASH1(1) HASH1(2) HASH1(3) HASH1(4) HASH1(5) HASH1(6) HASH1(7) HASH1(8)
    HASH1(9) HASH1(10) HASH1(11) HASH1(12) HASH1(13) HASH1(14) HASH1(15)
    EACH_WAY(
        M(0) = vaddq_u32(abcd[way], version->mid_abcd);
        M(1) = vaddq_u32(efgh[way], version->mid_efgh);
        M(2) = vec4((uint32_t)PAD_BIT, 0, 0, 0);
        M(3) = vec4(0, 0, 0, DIGEST_BITS);
        abcd[way] = vld1q_u32(SHA256_INIT);
        efgh[way] = vld1q_u32(SHA256_INIT + 4);
    )
    HASH2(0) HASH2(1) HASH2(2) HASH2(3)
    HASH2_NEXT(4) HASH2_NEXT(5) HASH2_NEXT(6) HASH2_NEXT(7) HASH2_NEXT(8) HASH2_NEXT(9)
    HASH2_NEXT(10) HASH2_NEXT(11) HASH2_NEXT(12) HASH2_NEXT(13) HASH2_NEXT(14)
    NEXT_WORDS(15)
    EACH_WAY( /* round 60 alone matters: its e, which the four rounds leave as h */
        efgh[way] = vsha256h2q_u32(efgh[way], abcd[way], vaddq_u32(M(15), k4(15)));
        const uint32_t word7 = vgetq_lane_u32(efgh[way], 3) + SHA256_INIT[7];
        left |= (uint64_t)((word7 & zero_bits) == 0) << way;
    )
    return left;
}

#include "scan_loop.inc.h"
