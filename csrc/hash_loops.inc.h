/* Both hashes through the same two loops of eight rounds: a few operations more, half the code, which
 * then stays in the cache of decoded operations with three vectors in flight. One version alone makes
 * words 32 to 63 of hash 1 in its rounds, where the adds fill the gaps between them.
 */

/* One bit for each lane whose word 7 has no bit of zero_bits set. */
HOT uint64_t survivors(const struct prepared *version, words out, uint32_t zero_bits) {
    vec s[8][WAYS], (*kw)[WAYS] = out->kw, (*w)[WAYS] = out->w;
    int known = out->kept ? 64 : 32, end = 64; /* words up to `known` are in kw */
    uint64_t left = 0;
    BEGIN_HASH1
    HASH1_ROUND(4) HASH1_ROUND(5) HASH1_ROUND(6) HASH1_ROUND(7)
    for (;;) {
        KEEP_LOOP for (int r = 8; r < known; r += 8) {
            TURNS(8, 4)
            EIGHT(HASH1_AT)
        }
        KEEP_LOOP for (int r = known; r < end; r += 8) {
            TURNS(5, 9)
            EIGHT(WORD_AT)
        }
        if (end == 56) break;
        w = out->w2;
        END_HASH1
        BEGIN_HASH2
        kw = out->kw2, known = 16, end = 56;
        __asm__("" : "+r"(kw), "+r"(w), "+r"(known), "+r"(end)); /* or the loops are made twice */
    }
    END_HASH2
    return left;
}
