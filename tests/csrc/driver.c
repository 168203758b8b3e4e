/* Every variant against a plain SHA-256 of its own, without Python: for sanitizers, valgrind and
 * other architectures. `driver CASES [VARIANT...]`; buffers have exactly the size the contract asks
 * for, so that any step outside is seen. Ends with 0 when each answer is exact. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan.h"

static uint64_t seed = 88172645463325252u; /* xorshift64: the same cases on every machine */
static uint32_t draw(uint32_t below) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)((seed >> 16) % below);
}

/* FIPS 180-4 as written, constants computed: shares nothing with the code under test. */
enum { LIMBS = 4 }; /* of 32 bits, low first: 128 bits hold a cube, also where no type does */

static void multiply(uint32_t x[LIMBS], uint64_t by) { /* modulo 2^128 */
    uint32_t sum[LIMBS] = {0};
    for (int j = 0; j < 2; j++, by >>= 32) {
        uint64_t carry = 0;
        for (int i = 0; i + j < LIMBS; i++) {
            carry += (uint64_t)x[i] * (uint32_t)by + sum[i + j];
            sum[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    memcpy(x, sum, sizeof sum);
}

static uint32_t root_bits(uint32_t prime, int cube) { /* first 32 bits of the fraction */
    uint64_t low = 0, high = (uint64_t)32 << 32;
    while (high - low > 1) {
        const uint64_t mid = (low + high) / 2;
        uint32_t power[LIMBS] = {(uint32_t)mid, (uint32_t)(mid >> 32)};
        for (int i = 0; i < 1 + cube; i++) multiply(power, mid);
        /* power < prime << 64, or << 96 for the cube? The limbs below are the fraction's. */
        const uint64_t whole = cube ? power[3] : (uint64_t)power[3] << 32 | power[2];
        if (whole < prime) low = mid;
        else high = mid;
    }
    return (uint32_t)low;
}

static uint32_t K[64], H0[8];

static void constants(void) {
    uint32_t found = 0;
    for (uint32_t n = 2; found < 64; n++) {
        int is_prime = 1;
        for (uint32_t d = 2; d * d <= n; d++) is_prime &= n % d != 0;
        if (!is_prime) continue;
        if (found < 8) H0[found] = root_bits(n, 0);
        K[found++] = root_bits(n, 1);
    }
}

#define ROTR(x, n) ((x) >> (n) | (x) << (32 - (n)))

static void block(uint32_t h[8], const uint8_t *bytes) {
    uint32_t w[64], v[8];
    for (int t = 0; t < 16; t++)
        w[t] = (uint32_t)bytes[4 * t] << 24 | (uint32_t)bytes[4 * t + 1] << 16 |
               (uint32_t)bytes[4 * t + 2] << 8 | bytes[4 * t + 3];
    for (int t = 16; t < 64; t++)
        w[t] = (ROTR(w[t - 2], 17) ^ ROTR(w[t - 2], 19) ^ w[t - 2] >> 10) + w[t - 7] +
               (ROTR(w[t - 15], 7) ^ ROTR(w[t - 15], 18) ^ w[t - 15] >> 3) + w[t - 16];
    memcpy(v, h, sizeof v);
    for (int t = 0; t < 64; t++) {
        uint32_t t1 = v[7] + (ROTR(v[4], 6) ^ ROTR(v[4], 11) ^ ROTR(v[4], 25)) +
                      ((v[4] & v[5]) ^ (~v[4] & v[6])) + K[t] + w[t];
        uint32_t t2 = (ROTR(v[0], 2) ^ ROTR(v[0], 13) ^ ROTR(v[0], 22)) +
                      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) h[i] += v[i];
}

static void sha256(const uint8_t *bytes, size_t size, uint8_t out[32]) { /* size <= 80 */
    uint8_t padded[128] = {0};
    size_t blocks = (size + 9 + 63) / 64;
    uint32_t h[8];
    memcpy(h, H0, sizeof h);
    memcpy(padded, bytes, size);
    padded[size] = 0x80;
    padded[64 * blocks - 2] = (uint8_t)(size * 8 >> 8);
    padded[64 * blocks - 1] = (uint8_t)(size * 8);
    for (size_t i = 0; i < blocks; i++) block(h, padded + 64 * i);
    for (int i = 0; i < 32; i++) out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static void put32(uint8_t *at, uint32_t word) {
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(word >> 8 * i);
}

/* 1 when the header's double hash, little-endian, is <= target (32 bytes, little-endian). */
static int is_hit(const uint8_t header[80], const uint8_t target[32]) {
    uint8_t hash[32];
    sha256(header, 80, hash);
    sha256(hash, 32, hash);
    for (int i = 31; i >= 0; i--)
        if (hash[i] != target[i]) return hash[i] < target[i];
    return 1;
}

struct one_case {
    uint8_t header[80], target[32];
    uint32_t n_versions, *versions;
    uint64_t start, count;
    size_t room; /* hits beyond the smallest buffer */
};

static void draw_case(struct one_case *c) {
    static const uint32_t counts[] = {1, 2, 3, 4, 5, 8, 9, 16, 17, 33, 65};
    for (int i = 0; i < 80; i++) c->header[i] = (uint8_t)draw(256);
    c->n_versions = counts[draw(sizeof counts / sizeof *counts)];
    c->versions = malloc(c->n_versions * sizeof *c->versions);
    for (uint32_t i = 0; i < c->n_versions; i++) c->versions[i] = 0x20000000u + (i << 13);
    put32(c->header, c->versions[0]);
    memset(c->target, 0xff, 32);
    uint32_t kind = draw(8); /* none, all, or random with 0 to 11 leading zero bits */
    if (kind == 0) memset(c->target, 0, 32);
    if (kind >= 2) {
        for (int i = 0; i < 32; i++) c->target[i] = (uint8_t)draw(256);
        uint32_t zeros = draw(12);
        if (zeros >= 8) c->target[31] = 0, c->target[30] >>= zeros - 8;
        else c->target[31] >>= zeros;
    }
    c->count = draw(4) ? draw(70) : draw(3);
    c->start = draw(3) == 0 ? 0 : draw(0xffffff00u);
    if (draw(4) == 0) c->start = ((uint64_t)1 << 32) - c->count;
    c->room = draw(2) ? draw(200) : 0;
}

static int fail(const char *name, const char *what, uint64_t nonce) {
    fprintf(stderr, "%s: %s at nonce %llu\n", name, what, (unsigned long long)nonce);
    return 1;
}

/* Scans the range in as many calls as it takes; every answer is looked up in `want`. */
static int run_case(int32_t variant, const struct one_case *c) {
    const char *name = scan_variant_name(variant);
    const size_t capacity = scan_min_capacity(variant, c->n_versions) + c->room;
    struct scan_hit *hits = malloc(capacity * sizeof *hits);
    uint32_t *midstates = malloc(c->n_versions * 8 * sizeof *midstates);
    uint8_t *want = calloc(c->count * c->n_versions + 1, 1), header[80];
    struct scan_task task = {.midstates = midstates, .n_versions = c->n_versions,
                             .start = c->start, .count = c->count};
    int bad = 0;
    memcpy(header, c->header, 80);
    for (uint64_t n = 0; n < c->count; n++)
        for (uint32_t v = 0; v < c->n_versions; v++) {
            put32(header, c->versions[v]);
            put32(header + 76, (uint32_t)(c->start + n));
            want[n * c->n_versions + v] = (uint8_t)is_hit(header, c->target);
        }
    scan_midstates(c->header, c->versions, c->n_versions, midstates);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 4; j++) task.tail[i] = task.tail[i] << 8 | c->header[64 + 4 * i + j];
    for (int i = 31; i >= 0; i--) task.target[i / 4] = task.target[i / 4] << 8 | c->target[i];
    while (!bad) {
        uint64_t hashes = 1, first = task.start - c->start;
        int32_t found = scan_run(variant, &task, hits, capacity, &hashes);
        uint64_t nonces = hashes / c->n_versions;
        if (found < 0 || hashes % c->n_versions != 0 || nonces > task.count ||
            (nonces == 0) != (task.count == 0))
            bad = fail(name, "wrong return or count", task.start);
        for (int32_t i = 0; i < found && !bad; i++) {
            uint64_t n = hits[i].nonce - c->start;
            if (hits[i].version_index >= c->n_versions || n < first || n >= first + nonces)
                bad = fail(name, "hit outside the range", hits[i].nonce);
            else if (want[n * c->n_versions + hits[i].version_index]-- != 1)
                bad = fail(name, "false or double hit", hits[i].nonce);
        }
        if (task.count == 0) break;
        task.start += nonces, task.count -= nonces;
    }
    for (uint64_t i = 0; i < c->count * c->n_versions && !bad; i++)
        if (want[i]) bad = fail(name, "missed hit", c->start + i / c->n_versions);
    free(want), free(midstates), free(hits);
    return bad;
}

static int refusals(int32_t variant) {
    static const uint32_t midstates[8];
    struct scan_hit hits[64];
    uint64_t hashes;
    struct scan_task task = {.midstates = midstates, .n_versions = 1, .start = 1, .count = 1};
    const size_t enough = scan_min_capacity(variant, 1);
    const uint64_t all = (uint64_t)1 << 32;
    int bad = scan_run(-1, &task, hits, 64, &hashes) != SCAN_EVARIANT;
    bad |= scan_run(scan_variant_count(), &task, hits, 64, &hashes) != SCAN_EVARIANT;
    bad |= scan_run(variant, &task, hits, enough - 1, &hashes) != SCAN_ECAPACITY;
    task.count = all;
    bad |= scan_run(variant, &task, hits, 64, &hashes) != SCAN_ERANGE;
    task.start = all + 1, task.count = 0;
    bad |= scan_run(variant, &task, hits, 64, &hashes) != SCAN_ERANGE;
    task.start = all;
    bad |= scan_run(variant, &task, hits, 64, &hashes) != 0 || hashes != 0;
    task.n_versions = 0;
    bad |= scan_run(variant, &task, hits, 64, &hashes) != SCAN_EVERSIONS;
    bad |= scan_variant_name(-1) != NULL || scan_variant_why_not(99) != NULL;
    bad |= scan_variant_shape(99) != NULL || scan_variant_operations(99, 1) != 0;
    bad |= scan_yardstick(-1, 1) != 0 || scan_yardstick(variant, 0) != 0;
    bad |= scan_variant_lanes(99) >= 0 || scan_variant_versions_wanted(-1) >= 0;
    return bad ? fail(scan_variant_name(variant), "a bad call was not refused", 0) : 0;
}

int main(int argc, char **argv) {
    int cases = argc > 1 ? atoi(argv[1]) : 100, bad = 0;
    constants();
    for (int32_t variant = 0; variant < scan_variant_count(); variant++) {
        const char *name = scan_variant_name(variant);
        int asked = argc <= 2;
        for (int i = 2; i < argc; i++) asked |= strcmp(argv[i], name) == 0;
        if (!asked) continue;
        if (*scan_variant_why_not(variant)) {
            printf("%s: skipped, %s\n", name, scan_variant_why_not(variant));
            bad |= argc > 2; /* asked for by name: it must run */
            continue;
        }
        int failed = refusals(variant);
        for (int i = 0; i < cases && !failed; i++) {
            struct one_case c;
            draw_case(&c);
            failed = run_case(variant, &c);
            free(c.versions);
        }
        printf("%s: %s, %d cases, %s\n", name, failed ? "WRONG" : "exact", cases,
               scan_variant_shape(variant));
        bad |= failed;
    }
    return bad;
}
