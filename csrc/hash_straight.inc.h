/* Both hashes with rounds 0 to 31 of the second written out: fewest operations, much code. */

/* One bit for each lane whose word 7 has no bit of zero_bits set. */
HOT uint64_t survivors(const struct prepared *version, words out, uint32_t zero_bits) {
    const uint32_t *k = SHA256_K, pad = (uint32_t)PAD_BIT;
    vec s[8][WAYS], w[61][WAYS], (*kw)[WAYS] = out->kw;
    uint64_t left = 0;
    BEGIN_HASH1
    HASH1_ROUND(4) HASH1_ROUND(5) HASH1_ROUND(6) HASH1_ROUND(7)
    KEEP_LOOP for (int r = 8; r < 64; r += 8) {
        TURNS(7, 7)
        EIGHT(HASH1_AT)
    }
    END_HASH1
    BEGIN_HASH2
    /* words 8 to 15 are constant; of words 16 to 31 every term that is constant is left out */
#define CONSTANT(r, word) ROUND(r, ADD(S(r, 7), SET1(k[r] + (word))), )
#define KNOWN(r, ...) WORD_ROUND(r, W(r) = (__VA_ARGS__);)
    CONSTANT(8, pad) CONSTANT(9, 0) CONSTANT(10, 0) CONSTANT(11, 0)
    CONSTANT(12, 0) CONSTANT(13, 0) CONSTANT(14, 0) CONSTANT(15, DIGEST_BITS)
    KNOWN(16, ADD(SMALL0(W(1)), W(0)))
    KNOWN(17, ADD(ADD(SMALL0(W(2)), W(1)), SET1(small_sigma1(DIGEST_BITS))))
    KNOWN(18, ADD(ADD(SMALL0(W(3)), W(2)), SMALL1(W(16))))
    KNOWN(19, ADD(ADD(SMALL0(W(4)), W(3)), SMALL1(W(17))))
    KNOWN(20, ADD(ADD(SMALL0(W(5)), W(4)), SMALL1(W(18))))
    KNOWN(21, ADD(ADD(SMALL0(W(6)), W(5)), SMALL1(W(19))))
    KNOWN(22, ADD(ADD(ADD(SMALL0(W(7)), W(6)), SET1(DIGEST_BITS)), SMALL1(W(20))))
    KNOWN(23, ADD(ADD(ADD(W(7), SET1(small_sigma0(pad))), W(16)), SMALL1(W(21))))
    KNOWN(24, ADD(ADD(W(17), SET1(pad)), SMALL1(W(22))))
    KNOWN(25, ADD(W(18), SMALL1(W(23))))
    KNOWN(26, ADD(W(19), SMALL1(W(24))))
    KNOWN(27, ADD(W(20), SMALL1(W(25))))
    KNOWN(28, ADD(W(21), SMALL1(W(26))))
    KNOWN(29, ADD(W(22), SMALL1(W(27))))
    KNOWN(30, ADD(ADD(W(23), SET1(small_sigma0(DIGEST_BITS))), SMALL1(W(28))))
    KNOWN(31, ADD(ADD(ADD(SMALL0(W(16)), SET1(DIGEST_BITS)), W(24)), SMALL1(W(29))))
    KEEP_LOOP for (int r = 32; r < 56; r += 8) {
        TURNS(3, 3)
        EIGHT(WORD_AT)
    }
    END_HASH2
    return left;
}
