/* The one body of all lane variants. Lanes hold nonces; the message schedule of chunk 2, which the
 * version does not enter, is computed once a step and shared by every version.
 *
 * The including file defines: SCAN_NAME; vec, LANES words wide; WAYS, vectors in flight; SET1 (all
 * lanes one word), ROR, SHR (each word), ADD, XOR3, CH, MAJ; ZERO_LANES(x, mask): one bit for each
 * lane of x that has no bit of mask set.
 */
#include <string.h>

#include "scan_impl.h"
#include "sha256_scalar.h"

enum { STEP = LANES * WAYS };

#define BIG0(x) XOR3(ROR(x, 2), ROR(x, 13), ROR(x, 22))
#define BIG1(x) XOR3(ROR(x, 6), ROR(x, 11), ROR(x, 25))
#define SMALL0(x) XOR3(ROR(x, 7), ROR(x, 18), SHR(x, 3))
#define SMALL1(x) XOR3(ROR(x, 17), ROR(x, 19), SHR(x, 10))
#define EACH_WAY for (int way = 0; way < WAYS; way++)

/* Round r of FIPS 180-4; kw = K + W. The state turns: a round moves the names, not the words. */
#define STATE(r, name) s[((name) - (r)) & 7][way]
#define ROUND(r, kw)                                                                       \
    EACH_WAY {                                                                             \
        vec t1 = ADD(ADD(STATE(r, 7), kw),                                                 \
                     ADD(BIG1(STATE(r, 4)), CH(STATE(r, 4), STATE(r, 5), STATE(r, 6))));   \
        STATE(r, 3) = ADD(STATE(r, 3), t1);                                                \
        STATE(r, 7) = ADD(t1, ADD(BIG0(STATE(r, 0)),                                       \
                                  MAJ(STATE(r, 0), STATE(r, 1), STATE(r, 2))));            \
    }

/* W[16..63] of chunk 2 for STEP nonces, and K + W for rounds 3..63. */
static void schedule(const struct scan_task *task, uint32_t nonce, vec kw[64][WAYS]) {
    uint32_t words[STEP];
    vec w[16][WAYS];
    for (uint32_t i = 0; i < STEP; i++) words[i] = byteswap32(nonce + i);
    EACH_WAY {
        for (int i = 0; i < 16; i++) w[i][way] = SET1(0);
        for (int i = 0; i < 3; i++) w[i][way] = SET1(task->tail[i]);
        memcpy(&w[3][way], words + LANES * way, sizeof(vec));
        w[4][way] = SET1((uint32_t)PAD_BIT);
        w[15][way] = SET1(HEADER_BITS);
    }
    for (int r = 3; r < 64; r++) EACH_WAY {
        vec *now = &w[r & 15][way];
        if (r >= 16)
            *now = ADD(ADD(*now, SMALL0(w[(r + 1) & 15][way])),
                       ADD(w[(r + 9) & 15][way], SMALL1(w[(r + 14) & 15][way])));
        kw[r][way] = ADD(*now, SET1(SHA256_K[r]));
    }
}

/* Digest word 7 of the double hash of each lane, less its constant addend SHA256_INIT[7]. */
static void last_word(const uint32_t midstate[8], const uint32_t after_round2[8],
                      vec kw[64][WAYS], vec out[WAYS]) {
    vec s[8][WAYS], w[16][WAYS];
    for (int i = 0; i < 8; i++) EACH_WAY s[i][way] = SET1(after_round2[(i + 3) & 7]);
    for (int r = 3; r < 64; r++) ROUND(r, kw[r][way])
    for (int i = 0; i < 8; i++) EACH_WAY {
        w[i][way] = ADD(s[i][way], SET1(midstate[i]));
        w[i + 8][way] = SET1(0);
        s[i][way] = SET1(SHA256_INIT[i]);
    }
    EACH_WAY {
        w[8][way] = SET1((uint32_t)PAD_BIT);
        w[15][way] = SET1(DIGEST_BITS);
    }
    for (int r = 0; r < 64; r++) {
        if (r >= 16) EACH_WAY
            w[r & 15][way] = ADD(ADD(w[r & 15][way], SMALL0(w[(r + 1) & 15][way])),
                                 ADD(w[(r + 9) & 15][way], SMALL1(w[(r + 14) & 15][way])));
        ROUND(r, ADD(w[r & 15][way], SET1(SHA256_K[r])))
    }
    EACH_WAY out[way] = s[7][way];
}

int32_t SCAN_NAME(const struct scan_task *task, struct scan_hit *hits, size_t capacity,
                  uint64_t *hashes) {
    const uint32_t zero_bits = must_be_zero(task);
    const vec init7 = SET1(SHA256_INIT[7]);
    size_t found = 0;
    uint64_t done = 0;
    vec kw[64][WAYS], word7[WAYS];
    while (done < task->count && capacity - found >= (size_t)STEP * task->n_versions) {
        uint32_t nonce = (uint32_t)(task->start + done);
        uint32_t n = task->count - done < STEP ? (uint32_t)(task->count - done) : STEP;
        schedule(task, nonce, kw);
        for (uint32_t version = 0; version < task->n_versions; version++) {
            const uint32_t *midstate = task->midstates + 8 * (size_t)version;
            uint32_t s[8];
            for (int i = 0; i < 8; i++) s[i] = midstate[i];
            for (int r = 0; r < 3; r++) sha256_round(s, SHA256_K[r] + task->tail[r]);
            last_word(midstate, s, kw, word7);
            EACH_WAY {
                uint32_t lanes = ZERO_LANES(ADD(word7[way], init7), zero_bits);
                for (uint32_t i = LANES * (uint32_t)way; lanes != 0 && i < n; i++, lanes >>= 1)
                    if (lanes & 1 && meets_target(task, version, nonce + i))
                        hits[found++] = (struct scan_hit){version, nonce + i};
            }
        }
        done += n;
    }
    *hashes = done * task->n_versions;
    return (int32_t)found;
}
