/* fuzz_main.h - what the fuzz targets share: a seeded mutator over a small corpus with a main of its own; or libFuzzer's.
 *
 * A target defines LLVMFuzzerTestOneInput and FUZZ_TARGET(...), and checks with FUZZ_CHECK. Two ways to build it:
 *   cc fuzz_x.c ...     ./fuzz_x [INPUTS [SEED]],  ./fuzz_x FILE... tries those,  ./fuzz_x --corpus FOLDER writes the corpus
 *   clang -DFUZZ_LIBFUZZER -fsanitize=fuzzer,address,undefined fuzz_x.c ...     libFuzzer's command line
 * The same inputs and seed give the same run. When something goes wrong, the input and what was noted of it are shown. */
#ifndef EBB_FUZZ_MAIN_H
#define EBB_FUZZ_MAIN_H
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include <ebb/ebb.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

typedef struct fuzz_seed {
    const void *data;
    size_t n;
} fuzz_seed;
#define FUZZ_TEXT(s)                                                                                         \
    { s, sizeof(s) - 1 }

typedef struct fuzz_target {
    const char *name;
    int inputs;               /* how many a plain run tries */
    size_t max;               /* bytes of the longest */
    int fresh;                /* of 100 inputs, how many are random bytes and no mutant of the corpus */
    const fuzz_seed *seed;    /* the corpus */
    size_t n_seeds;           /* at least 1 */
    const char *const *words; /* what a mutant may have inserted; ends with NULL */
} fuzz_target;

static const fuzz_target fuzz_this;
#define FUZZ_TARGET(...) static const fuzz_target fuzz_this = {__VA_ARGS__};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- what goes wrong ---- */

static const uint8_t *fuzz_data;
static size_t fuzz_size;
static uint64_t fuzz_number;
static char fuzz_words[16384];
static size_t fuzz_at;

/* Begins an input: what is shown when it goes wrong. */
static inline void fuzz_begin(const uint8_t *data, size_t size) {
    fuzz_data = data;
    fuzz_size = size;
    fuzz_at = 0;
    fuzz_words[0] = 0;
    fuzz_number++;
}

/* Adds words to what is shown. */
static inline void EBB_PRINTF(1, 2) fuzz_note(const char *format, ...) {
    va_list args;
    va_start(args, format);
    const size_t left = sizeof fuzz_words - fuzz_at;
    const int n = vsnprintf(fuzz_words + fuzz_at, left, format, args);
    if (n > 0) fuzz_at += (size_t)n < left ? (size_t)n : left - 1;
    va_end(args);
}

static inline void fuzz_show(void) {
    fprintf(stderr, "%s: input %" PRIu64 ", %zu bytes: \"", fuzz_this.name, fuzz_number, fuzz_size);
    for (size_t i = 0; i < fuzz_size; i++)
        if (fuzz_data[i] >= ' ' && fuzz_data[i] < 127 && fuzz_data[i] != '"' && fuzz_data[i] != '\\')
            fputc(fuzz_data[i], stderr);
        else fprintf(stderr, "\\%03o", (unsigned)fuzz_data[i]);
    fprintf(stderr, "\"\n%s", fuzz_words);
    fflush(stderr);
}

#define FUZZ_CHECK(holds, ...)                                                                               \
    do {                                                                                                     \
        if (!(holds)) {                                                                                      \
            fprintf(stderr, "%s:%d: %s does not hold: ", __FILE__, __LINE__, #holds);                        \
            fprintf(stderr, __VA_ARGS__);                                                                    \
            fputc('\n', stderr);                                                                             \
            fuzz_failed();                                                                                   \
        }                                                                                                    \
    } while (0)

#ifdef FUZZ_LIBFUZZER
_Noreturn static inline void fuzz_failed(void) {
    fuzz_show();
    abort();
}
#else
_Noreturn static inline void fuzz_failed(void) {
    fuzz_show();
    _Exit(1);
}
#endif

/* ---- a session that must stay usable ---- */

/* An error must have a code and words. It is cleared. -> the code */
static inline ebb_status fuzz_error(ebb *e) {
    const ebb_status s = ebb_error_code(e);
    FUZZ_CHECK(ebb_failed(e) && s != EBB_OK && s < EBB_COPY, "status %d", (int)s);
    FUZZ_CHECK(strlen(ebb_error(e)) > 4, "the error %s has no words", ebb_status_name(s));
    ebb_error_clear(e);
    return s;
}

/* The session computes. */
static inline void fuzz_usable(ebb *e) {
    FUZZ_CHECK(!ebb_failed(e), "%s", ebb_error(e));
    ebb_scope *s = ebb_begin(e);
    ebb_tensor *x[] = {ebb_full(e, EBB_F64, EBB_SHAPE(2, 1), 2), ebb_full(e, EBB_F64, EBB_SHAPE(3), 3)}, *y = NULL;
    FUZZ_CHECK(ebb_call_named(e, "add", 2, x, NULL, 1, &y) == 1, "%s", ebb_error(e));
    FUZZ_CHECK(ebb_numel(y) == 6 && ebb_at(y, 5) == 5, "2 + 3 is %g", ebb_at(y, 5));
    ebb_end(s);
}

/* Where files of a run go. */
static inline const char *fuzz_folder(void) {
    const char *folder = getenv("TMPDIR");
    return folder && *folder ? folder : "/tmp";
}

static inline int64_t fuzz_tensors(const ebb *e) {
    ebb_memory m;
    ebb_memory_stats(e, &m);
    return m.tensors;
}

/* ---- random numbers (splitmix64) and numbers from an input ---- */

static inline uint64_t fuzz_random(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline size_t fuzz_below(uint64_t *state, size_t n) {
    return n ? (size_t)(fuzz_random(state) % n) : 0;
}

/* Decisions out of the bytes of an input; zeros when they are used up. */
typedef struct fuzz_bytes {
    const uint8_t *p;
    size_t n;
} fuzz_bytes;

static inline unsigned fuzz_byte(fuzz_bytes *b) {
    if (!b->n) return 0;
    b->n--;
    return *b->p++;
}

/* A number below n, n at most 65536. */
static inline unsigned fuzz_pick(fuzz_bytes *b, unsigned n) {
    unsigned v = fuzz_byte(b);
    if (n > 256) v = v << 8 | fuzz_byte(b);
    return n ? v % n : 0;
}

/* ---- a plain run ---- */

#ifndef FUZZ_LIBFUZZER

enum { FUZZ_SECONDS = 20 }; /* an input that takes longer hangs */

static void fuzz_signal(int number) {
    fprintf(stderr, number == SIGALRM ? "no end after %d s\n" : "signal %d\n",
            number == SIGALRM ? (int)FUZZ_SECONDS : number);
    fuzz_failed();
}

#if defined __SANITIZE_ADDRESS__
#define FUZZ_SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define FUZZ_SANITIZED 1
#endif
#endif
#ifdef FUZZ_SANITIZED
void __sanitizer_set_death_callback(void (*f)(void));
#endif
void __ubsan_on_report(void);
void __ubsan_on_report(void) { fuzz_show(); } /* the undefined behaviour sanitizer has no callback but this */

static size_t fuzz_mutate(uint64_t *r, uint8_t *p, size_t n, size_t max) {
    static const uint8_t odd[] = {0,   1,   2,   4,   8,   16,  127, 128, 255,
                                  ' ', ',', '(', ')', '-', '"', '0', '9', '='};
    size_t words = 0;
    while (fuzz_this.words && fuzz_this.words[words]) words++;
    for (size_t times = 1 + fuzz_below(r, 4); times; times--) {
        const size_t at = fuzz_below(r, n + 1);
        switch (fuzz_below(r, 9)) {
        case 0: /* a bit */
            if (at < n) p[at] = (uint8_t)(p[at] ^ 1u << fuzz_below(r, 8));
            break;
        case 1: /* a byte */
            if (at < n) p[at] = (uint8_t)fuzz_random(r);
            break;
        case 2:
            if (at < n) p[at] = odd[fuzz_below(r, sizeof odd)];
            break;
        case 3: { /* some bytes less */
            const size_t gone = fuzz_below(r, n - at + 1);
            const size_t few = gone < 8 || !fuzz_below(r, 4) ? gone : 1 + gone % 8;
            memmove(p + at, p + at + few, n - at - few);
            n -= few;
            break;
        }
        case 4: { /* some bytes twice */
            const size_t room = max - n, most = n - at < 32 ? n - at : 32;
            const size_t more = fuzz_below(r, (most < room ? most : room) + 1);
            memmove(p + at + more, p + at, n - at);
            n += more;
            break;
        }
        case 5: /* a byte more */
            if (n == max) break;
            memmove(p + at + 1, p + at, n++ - at);
            p[at] = odd[fuzz_below(r, sizeof odd)];
            break;
        case 6: { /* a size that is none */
            const uint32_t size = (const uint32_t[]){0, 256, INT32_MAX, UINT32_MAX}[fuzz_below(r, 4)];
            if (at + sizeof size <= n) memcpy(p + at, &size, sizeof size);
            break;
        }
        default: { /* a word, over what is there or before it */
            if (!words) break;
            const char *w = fuzz_this.words[fuzz_below(r, words)];
            const size_t len = strlen(w);
            if (fuzz_below(r, 2)) {
                if (at + len <= n) memcpy(p + at, w, len);
            } else if (n + len <= max) {
                memmove(p + at + len, p + at, n - at);
                memcpy(p + at, w, len);
                n += len;
            }
            break;
        }
        }
    }
    return n;
}

/* One input, on the heap and no longer than it is, so that reading past its end shows. */
static void fuzz_one(const uint8_t *data, size_t n) {
    uint8_t *own = malloc(n ? n : 1);
    if (!own) abort();
    if (n) memcpy(own, data, n);
    alarm(FUZZ_SECONDS);
    LLVMFuzzerTestOneInput(own, n);
    alarm(0);
    free(own);
    fuzz_data = NULL;
    fuzz_size = 0;
}

static int fuzz_files(int n, char **path) {
    for (int i = 0; i < n; i++) {
        FILE *f = fopen(path[i], "rb");
        uint8_t *bytes = malloc(1 << 20);
        if (!f || !bytes) {
            perror(path[i]);
            return 1;
        }
        fuzz_one(bytes, fread(bytes, 1, 1 << 20, f));
        fclose(f);
        free(bytes);
    }
    printf("%d inputs, no crash\n", n);
    return 0;
}

/* The corpus as files, for libFuzzer to begin with. */
static int fuzz_write_corpus(const char *folder) {
    for (size_t i = 0; i < fuzz_this.n_seeds; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s-%zu", folder, fuzz_this.name, i);
        FILE *f = fopen(path, "wb");
        if (!f || fwrite(fuzz_this.seed[i].data, 1, fuzz_this.seed[i].n, f) != fuzz_this.seed[i].n || fclose(f)) {
            perror(path);
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "--corpus")) return fuzz_write_corpus(argv[2]);
#ifdef FUZZ_SANITIZED
    __sanitizer_set_death_callback(fuzz_show);
    signal(SIGALRM, fuzz_signal);
#else
    for (size_t i = 0; i < 5; i++)
        signal((const int[]){SIGALRM, SIGABRT, SIGSEGV, SIGBUS, SIGFPE}[i], fuzz_signal);
#endif
    char *end = NULL;
    const long inputs = argc > 1 ? strtol(argv[1], &end, 10) : fuzz_this.inputs;
    if (end && *end) return fuzz_files(argc - 1, argv + 1);
    uint64_t r = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint8_t *p = malloc(fuzz_this.max);
    if (!p) return 1;
    for (long k = 0; k < inputs; k++) {
        size_t n;
        if (k >= (long)fuzz_this.n_seeds && (int)fuzz_below(&r, 100) < fuzz_this.fresh) {
            n = fuzz_below(&r, fuzz_this.max + 1);
            for (size_t i = 0; i < n; i++) p[i] = (uint8_t)fuzz_random(&r);
        } else {
            const fuzz_seed *s =
                &fuzz_this.seed[k < (long)fuzz_this.n_seeds ? (size_t)k : fuzz_below(&r, fuzz_this.n_seeds)];
            n = s->n < fuzz_this.max ? s->n : fuzz_this.max;
            memcpy(p, s->data, n);
            if (k >= (long)fuzz_this.n_seeds)
                n = fuzz_mutate(&r, p, n, fuzz_this.max); /* first the corpus as it is */
        }
        fuzz_one(p, n);
    }
    free(p);
    printf("%ld inputs, no crash\n", inputs);
    return 0;
}
#endif
#endif
