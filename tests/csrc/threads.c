/* Every variant scanned by several threads at once, as the miner's workers do: one unit for all,
 * each its own hit buffer. For the thread sanitizer; ends with 0 when all have the same answers. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "scan.h"

enum { THREADS = 4, ROUNDS = 3, VERSIONS = 2, NONCES = 96, CAPACITY = 4096 };

static uint32_t midstates[VERSIONS * 8];
static const struct scan_task task = {
    .midstates = midstates,
    .n_versions = VERSIONS,
    .tail = {1, 2, 3},
    .target = {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x3fffffff}, /* every fourth hash is a hit */
    .start = 4000000000u,
    .count = NONCES,
};

struct answer {
    int32_t variant, found;
    uint64_t hashes, sum; /* of the hits, in any order */
    struct scan_hit hits[CAPACITY];
};

static struct answer answers[THREADS];

static void *scan(void *argument) {
    struct answer *own = argument;
    own->sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        own->found = scan_run(own->variant, &task, own->hits, CAPACITY, &own->hashes);
        for (int32_t i = 0; i < own->found; i++)
            own->sum += own->hits[i].nonce * 31u + own->hits[i].version_index;
    }
    return *scan_variant_why_not(own->variant) ? own : NULL; /* the CPU is asked by all, too */
}

int main(void) {
    const uint8_t chunk[64] = {7};
    const uint32_t versions[VERSIONS] = {0x20000000, 0x20002000};
    int bad = 0;
    scan_midstates(chunk, versions, VERSIONS, midstates);
    for (int32_t variant = 0; variant < scan_variant_count(); variant++) {
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++) {
            answers[i].variant = variant;
            if (pthread_create(&threads[i], NULL, scan, &answers[i])) return 2;
        }
        for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
        const struct answer *one = &answers[0];
        int same = 1;
        for (int i = 1; i < THREADS; i++)
            same &= answers[i].found == one->found && answers[i].sum == one->sum;
        if (!*scan_variant_why_not(variant)) same &= one->found > 0;
        printf("%s: %s, %d hits\n", scan_variant_name(variant), same ? "same" : "WRONG", one->found);
        bad |= !same;
    }
    return bad;
}
