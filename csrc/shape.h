/* A shape is one way to compile a variant: how many hashes are in flight, which form of the rounds.
 * The build compiles scan_<variant>.c once for each (build.toml); which is fastest depends on the CPU
 * and the compiler, so the miner measures. */
#ifndef HOMEHASH_SHAPE_H
#define HOMEHASH_SHAPE_H

/* Loops of 8 rounds stay loops: fully unrolled, the code outgrows the cache of decoded operations
 * and the CPU waits for its own instructions. Those over the eight words of a state go: an array with
 * a variable index is in memory. */
#if defined(__clang__)
#define KEEP_LOOP _Pragma("clang loop unroll(disable)")
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define KEEP_LOOP _Pragma("GCC unroll 1")
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Functions of their own in the object file, where scripts/build_backend/operations.py counts their
 * operations; in a loop TURNS says how often it turns in a call, with several versions and with one,
 * by a label that the link strips. On Mach-O a label would cut the function in two. */
#define HOT static __attribute__((noinline))
#if defined(__APPLE__) || !(defined(__x86_64__) || defined(__aarch64__))
#define TURNS(several, one)
#else
#define TURNS(several, one) LABEL(several, one)
#define LABEL(several, one) __asm__ volatile("turns_" #several "_" #one "_%=:" ::);
#endif

#endif
