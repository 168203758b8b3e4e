/* The x86 SHA extensions: two rounds an instruction, four cycles late, so WAYS hashes are in flight.
 *
 * A state is two registers, words from high to low: abef and cdgh (Intel SDM, SHA256RNDS2). The
 * hashes in flight are WAYS nonces of one version; chunk 2's schedule is shared by all versions.
 */
#include <immintrin.h>

#include "scan_impl.h"
#include "sha256_scalar.h"

#include "shape.h"
#include "ways.inc.h"

#define VARIANT shani
enum { STEP = WAYS };
typedef __m128i vec;
/* K + W of chunk 2 by group of four rounds; kw[0] is W[3] where it enters after round 3: in a and
 * in e. For one version, `kept` is 0 and the rounds schedule for themselves, from w0. */
typedef struct {
    vec kw[16][WAYS], w0[WAYS];
    int kept;
} words[1];

static inline vec vec4(uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3) {
    return _mm_set_epi32((int)w3, (int)w2, (int)w1, (int)w0);
}

static inline vec k4(int group) { return _mm_loadu_si128((const vec *)&SHA256_K[4 * group]); }

/* What a version brings: its midstate, and the state after round 3 but for W[3]. */
struct prepared {
    vec mid_abef, mid_cdgh, abef, cdgh;
};

static void prepare(const struct scan_task *task, uint32_t version, struct prepared *out) {
    const uint32_t *mid = task->midstates + 8 * (size_t)version;
    uint32_t s[8];
    for (int i = 0; i < 8; i++) s[i] = mid[i];
    for (int r = 0; r < 4; r++) sha256_round(s, SHA256_K[r] + (r < 3 ? task->tail[r] : 0));
    out->mid_abef = vec4(mid[5], mid[4], mid[1], mid[0]);
    out->mid_cdgh = vec4(mid[7], mid[6], mid[3], mid[2]);
    out->abef = vec4(s[5], s[4], s[1], s[0]);
    out->cdgh = vec4(s[7], s[6], s[3], s[2]);
}

#define M(g) m[(g) & 3][way]
/* Words 4g .. 4g + 3, in place of the words 16 before them. */
#define NEXT_WORDS(g)                                                                      \
    EACH_WAY(M(g) = _mm_sha256msg1_epu32(M(g), M(g + 1));)                                 \
    EACH_WAY(M(g) = _mm_add_epi32(M(g), _mm_alignr_epi8(M(g + 3), M(g + 2), 4));)          \
    EACH_WAY(M(g) = _mm_sha256msg2_epu32(M(g), M(g + 3));)

#define CHUNK2                                                                             \
    EACH_WAY(                                                                              \
        M(0) = out->w0[way];                                                               \
        M(1) = vec4((uint32_t)PAD_BIT, 0, 0, 0);                                           \
        M(2) = _mm_setzero_si128();                                                        \
        M(3) = vec4(0, 0, 0, HEADER_BITS);                                                 \
    )

static void constants(const struct scan_task *task, words out) { (void)task, (void)out; }

HOT void schedule(const struct scan_task *task, uint32_t nonce, words out) {
    const uint32_t *tail = task->tail;
    vec m[4][WAYS];
    EACH_WAY(
        const uint32_t w3 = byteswap32(nonce + way);
        out->w0[way] = vec4(tail[0], tail[1], tail[2], w3);
        out->kw[0][way] = vec4(0, w3, 0, w3);
    )
    out->kept = task->n_versions > 1;
    if (!out->kept) return;
    CHUNK2
#define KEEP(g) EACH_WAY(out->kw[g][way] = _mm_add_epi32(M(g), k4(g));)
#define GROUP(g) NEXT_WORDS(g) KEEP(g)
    KEEP(1) KEEP(2) KEEP(3)
    GROUP(4) GROUP(5) GROUP(6) GROUP(7) GROUP(8) GROUP(9)
    GROUP(10) GROUP(11) GROUP(12) GROUP(13) GROUP(14) GROUP(15)
}

#define ABEF abef[way]
#define CDGH cdgh[way]
/* Rounds 4g .. 4g + 3 with the sums K + W in x: the two registers change places twice. */
#define ROUNDS(x, high)                                                                    \
    EACH_WAY(CDGH = _mm_sha256rnds2_epu32(CDGH, ABEF, x);)                                 \
    EACH_WAY(ABEF = _mm_sha256rnds2_epu32(ABEF, CDGH, high);)
#define UPPER_HALF(memory) _mm_loadl_epi64((const vec *)((const char *)&(memory) + 8))
#define HASH1_ROUNDS(g) ROUNDS(out->kw[g][way], UPPER_HALF(out->kw[g][way]))
#define FRESH_ROUNDS(g, words)                                                             \
    EACH_WAY(x[way] = _mm_add_epi32(words, k4(g));)                                        \
    ROUNDS(x[way], _mm_shuffle_epi32(x[way], 0x0e))
#define FRESH_NEXT(g) NEXT_WORDS(g) FRESH_ROUNDS(g, M(g))

/* One bit for each way whose word 7 has no bit of zero_bits set. */
HOT uint64_t survivors(const struct prepared *version, words out, uint32_t zero_bits) {
    uint64_t left = 0;
    vec abef[WAYS], cdgh[WAYS], m[4][WAYS], x[WAYS];
    EACH_WAY(ABEF = _mm_add_epi32(version->abef, out->kw[0][way]); CDGH = version->cdgh;)
    if (out->kept) {
        TURNS(1, 0)
        HASH1_ROUNDS(1) HASH1_ROUNDS(2) HASH1_ROUNDS(3) HASH1_ROUNDS(4) HASH1_ROUNDS(5)
        HASH1_ROUNDS(6) HASH1_ROUNDS(7) HASH1_ROUNDS(8) HASH1_ROUNDS(9) HASH1_ROUNDS(10)
        HASH1_ROUNDS(11) HASH1_ROUNDS(12) HASH1_ROUNDS(13) HASH1_ROUNDS(14) HASH1_ROUNDS(15)
    } else {
        TURNS(0, 1)
        CHUNK2
        FRESH_ROUNDS(1, M(1)) FRESH_ROUNDS(2, M(2)) FRESH_ROUNDS(3, M(3))
        FRESH_NEXT(4) FRESH_NEXT(5) FRESH_NEXT(6) FRESH_NEXT(7) FRESH_NEXT(8) FRESH_NEXT(9)
        FRESH_NEXT(10) FRESH_NEXT(11) FRESH_NEXT(12) FRESH_NEXT(13) FRESH_NEXT(14)
        FRESH_NEXT(15)
    }
    EACH_WAY(
        ABEF = _mm_shuffle_epi32(_mm_add_epi32(ABEF, version->mid_abef), 0x1b);
        CDGH = _mm_shuffle_epi32(_mm_add_epi32(CDGH, version->mid_cdgh), 0x1b);
        M(0) = _mm_unpacklo_epi64(ABEF, CDGH);
        M(1) = _mm_unpackhi_epi64(ABEF, CDGH);
        ABEF = vec4(SHA256_INIT[5], SHA256_INIT[4], SHA256_INIT[1], SHA256_INIT[0]);
        CDGH = vec4(SHA256_INIT[7], SHA256_INIT[6], SHA256_INIT[3], SHA256_INIT[2]);
    )
    FRESH_ROUNDS(0, M(0))
    FRESH_ROUNDS(1, M(1))
    const vec m2 = vec4((uint32_t)PAD_BIT, 0, 0, 0), m3 = vec4(0, 0, 0, DIGEST_BITS);
    FRESH_ROUNDS(2, m2)
    FRESH_ROUNDS(3, m3)
    EACH_WAY(M(0) = _mm_sha256msg2_epu32(_mm_sha256msg1_epu32(M(0), M(1)), m3);)
    FRESH_ROUNDS(4, M(0))
    EACH_WAY(M(1) = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(M(1), m2),
                                                       _mm_alignr_epi8(M(0), m3, 4)), M(0));)
    FRESH_ROUNDS(5, M(1))
    EACH_WAY(M(2) = _mm_sha256msg2_epu32( /* words 9..15 but the last are zero */
                 _mm_add_epi32(m2, _mm_alignr_epi8(M(1), M(0), 4)), M(1));)
    FRESH_ROUNDS(6, M(2))
    EACH_WAY(M(3) = m3;)
    NEXT_WORDS(7)
    FRESH_ROUNDS(7, M(3))
    FRESH_NEXT(8) FRESH_NEXT(9) FRESH_NEXT(10) FRESH_NEXT(11)
    FRESH_NEXT(12) FRESH_NEXT(13) FRESH_NEXT(14)
    NEXT_WORDS(15)
    EACH_WAY( /* round 60 alone: its e, which the pair leaves as f */
        CDGH = _mm_sha256rnds2_epu32(CDGH, ABEF, _mm_add_epi32(M(15), k4(15)));
        const uint32_t word7 = (uint32_t)_mm_cvtsi128_si32(CDGH) + SHA256_INIT[7];
        left |= (uint64_t)((word7 & zero_bits) == 0) << way;
    )
    return left;
}

#include "scan_loop.inc.h"
