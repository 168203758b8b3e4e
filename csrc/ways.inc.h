/* EACH_WAY(statements): once for each of WAYS chains in flight, written out, since `way` must be a
 * constant for the compiler to keep arrays indexed by it in registers. */
#define WAY(n, ...) { enum { way = n }; __VA_ARGS__ }
#if WAYS == 1
#define EACH_WAY(...) WAY(0, __VA_ARGS__)
#elif WAYS == 2
#define EACH_WAY(...) { WAY(0, __VA_ARGS__) WAY(1, __VA_ARGS__) }
#elif WAYS == 3
#define EACH_WAY(...) { WAY(0, __VA_ARGS__) WAY(1, __VA_ARGS__) WAY(2, __VA_ARGS__) }
#elif WAYS == 4
#define EACH_WAY(...)                                                                      \
    { WAY(0, __VA_ARGS__) WAY(1, __VA_ARGS__) WAY(2, __VA_ARGS__) WAY(3, __VA_ARGS__) }
#elif WAYS == 8
#define EACH_WAY(...)                                                                      \
    {                                                                                      \
        WAY(0, __VA_ARGS__) WAY(1, __VA_ARGS__) WAY(2, __VA_ARGS__) WAY(3, __VA_ARGS__)    \
        WAY(4, __VA_ARGS__) WAY(5, __VA_ARGS__) WAY(6, __VA_ARGS__) WAY(7, __VA_ARGS__)    \
    }
#else
#error "WAYS is 1 to 4 or 8"
#endif
