/* The loop around every kernel. A step tries STEP nonces with each version.
 *
 * The including file defines: VARIANT, LANES, SHAPE and WAYS; STEP, at most 64; struct prepared, what
 * a version brings, and prepare(task, version, out); words, what the nonces bring, with
 * constants(task, words), called once, and schedule(task, nonce, words); survivors(prepared, words,
 * zero_bits): one bit for each nonce whose digest word 7 has no bit of zero_bits set.
 */
static int32_t scan(const struct scan_task *task, struct scan_hit *hits, size_t capacity,
                    uint64_t *hashes) {
    enum { PREPARED = 64 }; /* versions whose preparation is kept; beyond, it is done each step */
    const uint32_t zero_bits = must_be_zero(task);
    size_t found = 0;
    uint64_t done = 0;
    words nonce_words;
    constants(task, nonce_words);
    struct prepared versions[PREPARED], later;
    for (uint32_t i = 0; i < PREPARED && i < task->n_versions; i++) prepare(task, i, &versions[i]);
    while (done < task->count && capacity - found >= (size_t)STEP * task->n_versions) {
        const uint32_t nonce = (uint32_t)(task->start + done);
        const uint32_t n = task->count - done < STEP ? (uint32_t)(task->count - done) : STEP;
        schedule(task, nonce, nonce_words);
        for (uint32_t version = 0; version < task->n_versions; version++) {
            if (version >= PREPARED) prepare(task, version, &later);
            uint64_t left = survivors(version < PREPARED ? &versions[version] : &later,
                                      nonce_words, zero_bits);
            for (uint32_t i = 0; left != 0 && i < n; i++, left >>= 1) /* beyond n: padding */
                if (left & 1 && meets_target(task, version, nonce + i))
                    hits[found++] = (struct scan_hit){version, nonce + i};
        }
        done += n;
    }
    *hashes = done * task->n_versions;
    return (int32_t)found;
}

#define JOIN(variant, shape) scan_##variant##_##shape
#define NAME(variant, shape) JOIN(variant, shape)
const struct shape NAME(VARIANT, SHAPE) = {STEP, scan};
