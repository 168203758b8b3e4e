/* SHA-256 on plain words (FIPS 180-4): what is done once a scan or once a survivor, not once a hash.
 * Static inline, so that each scan_<isa>.c may be compiled with its own flags.
 */
#ifndef HOMEHASH_SHA256_SCALAR_H
#define HOMEHASH_SHA256_SCALAR_H

#include "scan.h"

/* Square roots and cube roots of the first primes: initial state and round constants. */
static const uint32_t SHA256_INIT[8] = {0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
                                        0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u};
static const uint32_t SHA256_K[64] = {
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u,
    0xab1c5ed5u, 0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu,
    0x9bdc06a7u, 0xc19bf174u, 0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu,
    0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau, 0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u,
    0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u, 0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu,
    0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u, 0xa2bfe8a1u, 0xa81a664bu,
    0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u, 0x19a4c116u,
    0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u,
    0xc67178f2u};

/* The state after round 0 of the initial state, but for W[0], which a and e take as an addend. */
static const uint32_t SHA256_ROUND_0[8] = {0xfc08884du, 0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u,
                                           0x98c7e2a2u, 0x510e527fu, 0x9b05688cu, 0x1f83d9abu};

enum {
    PAD_BIT = (int)0x80000000, /* the 1 bit that ends a message, FIPS 180-4 section 5.1.1 */
    HEADER_BITS = 640,         /* message lengths: an 80-byte header, a 32-byte digest */
    DIGEST_BITS = 256
};

static inline uint32_t ror32(uint32_t x, int n) { return x >> n | x << (32 - n); }

static inline uint32_t small_sigma0(uint32_t x) { return ror32(x, 7) ^ ror32(x, 18) ^ x >> 3; }

static inline uint32_t small_sigma1(uint32_t x) { return ror32(x, 17) ^ ror32(x, 19) ^ x >> 10; }

static inline uint32_t byteswap32(uint32_t x) {
    return x << 24 | (x & 0xff00u) << 8 | (x >> 8 & 0xff00u) | x >> 24;
}

/* One round; kw = K[r] + W[r]. The state moves: s[0..7] are a..h before and after. */
static inline void sha256_round(uint32_t s[8], uint32_t kw) {
    uint32_t sum1 = ror32(s[4], 6) ^ ror32(s[4], 11) ^ ror32(s[4], 25);
    uint32_t sum0 = ror32(s[0], 2) ^ ror32(s[0], 13) ^ ror32(s[0], 22);
    uint32_t t1 = s[7] + sum1 + ((s[4] & s[5]) ^ (~s[4] & s[6])) + kw;
    uint32_t t2 = sum0 + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    for (int i = 7; i > 0; i--) s[i] = s[i - 1];
    s[4] += t1;
    s[0] = t1 + t2;
}

/* state += compression of one 16-word block; w is used up. */
static inline void sha256_compress(uint32_t state[8], uint32_t w[16]) {
    uint32_t s[8];
    for (int i = 0; i < 8; i++) s[i] = state[i];
    for (int r = 0; r < 64; r++) {
        if (r >= 16)
            w[r & 15] += small_sigma0(w[(r + 1) & 15]) + w[(r + 9) & 15] + small_sigma1(w[(r + 14) & 15]);
        sha256_round(s, SHA256_K[r] + w[r & 15]);
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

/* Exact: does this header's double hash, as a 256-bit little-endian number, meet the target? */
static inline int meets_target(const struct scan_task *task, uint32_t version_index, uint32_t nonce) {
    uint32_t inner[16] = {task->tail[0], task->tail[1], task->tail[2], byteswap32(nonce),
                          (uint32_t)PAD_BIT};
    uint32_t outer[16] = {0}, hash[8];
    inner[15] = HEADER_BITS;
    for (int i = 0; i < 8; i++) outer[i] = task->midstates[8 * (size_t)version_index + (size_t)i];
    sha256_compress(outer, inner); /* outer[0..7] is the digest of the header: the next message */
    outer[8] = (uint32_t)PAD_BIT;
    outer[15] = DIGEST_BITS;
    for (int i = 0; i < 8; i++) hash[i] = SHA256_INIT[i];
    sha256_compress(hash, outer);
    for (int i = 7; i >= 0; i--) { /* digest word 7, byte-swapped, is the most significant one */
        uint32_t word = byteswap32(hash[i]);
        if (word != task->target[i]) return word < task->target[i];
    }
    return 1;
}

/* Bits of digest word 7 that must be zero in every hash <= target: the leading zeros of the target.
 * A test against it may only discard; meets_target decides. */
static inline uint32_t must_be_zero(const struct scan_task *task) {
    uint32_t mask = 0;
    for (uint32_t bit = 0x80000000u; bit != 0 && !(task->target[7] & bit); bit >>= 1) mask |= bit;
    return byteswap32(mask);
}

#endif
