/* fuzz_safetensors.c - ebb_load on mutated files: refused with words and every parameter as it was, or read whole.
 *
 * An input is a header and the data after it: the length before the header is written as it should be, except where the first
 * byte is odd: then the input behind that byte is the file. */
#include "fuzz_main.h"

#define W "\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[8,32]}"
#define B "\"b\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}"
#define Z "\"z\":{\"dtype\":\"F32\",\"shape\":[0,5],\"data_offsets\":[32,32]}"
#define DATA "}\0\0\0\0\0\0\360?\0\0\200?\0\0\0@\0\0@@\0\0\200@\0\0\240@\0\0\300@"
static const fuzz_seed corpus[] = {
    FUZZ_TEXT("\0{" B "," W "," Z DATA),
    FUZZ_TEXT("\0{\"__metadata__\":{\"format\":\"ebb\"}," W "," B "," Z DATA),
    FUZZ_TEXT("\0{" B "," W ",\"z\":{\"dtype\":\"F32\",\"shape\":[0,5],\"data_offsets\":[8,8]}" DATA),
    FUZZ_TEXT("\0{" B "," W "," Z ",\"__metadata__\":[[[[[[[[{\"\\u0077\":-1e-9}]]]]]]]],\"w\":null" DATA),
    FUZZ_TEXT("\0{" B "," W "," Z
              ",\"an\\u00e9\":{\"dtype\":\"BF16\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[1e300]}" DATA),
    FUZZ_TEXT("\0{\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}" DATA),
    FUZZ_TEXT("\0{" DATA),
    FUZZ_TEXT("\001\002\0\0\0\0\0\0\0{}"),
    FUZZ_TEXT("\001\377\377\377\377\377\377\377\177{}"),
    FUZZ_TEXT("\001\0\0\0\0\0\0\0\0"),
    FUZZ_TEXT("\001"),
};
static const char *const words[] = {"\"w\":",
                                    "\"b\":",
                                    "\"z\":",
                                    "\"__metadata__\":",
                                    "\"dtype\":",
                                    "\"shape\":",
                                    "\"data_offsets\":",
                                    "\"F32\"",
                                    "\"F64\"",
                                    "[2,3]",
                                    "[8,32]",
                                    "[0,8]",
                                    "[-1,8]",
                                    "9007199254740993",
                                    "18446744073709551615",
                                    "1e308",
                                    "NaN",
                                    "null",
                                    "{}",
                                    "[]",
                                    "[[[[[[[[[[[[[[[[",
                                    "\\u0000",
                                    "\\ud800",
                                    "\\",
                                    "\"",
                                    "true",
                                    "-0",
                                    "0.5",
                                    "{\"\":1}",
                                    "  ",
                                    "%s%n",
                                    "\xef\xbb\xbf",
                                    ",",
                                    ":",
                                    "/* */",
                                    W,
                                    B,
                                    Z,
                                    NULL};
FUZZ_TARGET(.name = "fuzz_safetensors", .inputs = 2000, .max = 600, .fresh = 2, .seed = corpus,
            .n_seeds = COUNT(corpus), .words = words)

static char path[512];

static void remove_file(void) { remove(path); }

static ebb *session(void) {
    static ebb *e;
    if (!e) {
        snprintf(path, sizeof path, "%.400s/ebb-fuzz-%ld.safetensors", fuzz_folder(), (long)getpid());
        atexit(remove_file);
        e = ebb_open(&(ebb_options){.size = sizeof(ebb_options), .threads = 1});
        FUZZ_CHECK(e && ebb_param(e, "w", EBB_F32, EBB_SHAPE(2, 3), NULL) &&
                       ebb_param(e, "b", EBB_F64, EBB_SHAPE(1), NULL) &&
                       ebb_param(e, "z", EBB_F32, EBB_SHAPE(0, 5), NULL),
                   "no session");
    }
    return e;
}

/* The header ends where its braces close; all behind it is data. */
static size_t header_end(const uint8_t *p, size_t n) {
    int depth = 0;
    for (size_t i = 0; i < n; i++) {
        depth += p[i] == '{';
        depth -= p[i] == '}';
        if (!depth && p[i] == '}') return i + 1;
    }
    return n;
}

static void write_file(const uint8_t *data, size_t size) {
    FILE *f = fopen(path, "wb");
    FUZZ_CHECK(f, "cannot write %s", path);
    if (size && !(data[0] & 1)) {
        const size_t length = header_end(data + 1, size - 1);
        for (int i = 0; i < 8; i++) fputc((int)((uint64_t)length >> 8 * i & 255), f);
    }
    if (size) FUZZ_CHECK(fwrite(data + 1, 1, size - 1, f) == size - 1, "cannot write %s", path);
    FUZZ_CHECK(!fclose(f), "cannot write %s", path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_begin(data, size);
    ebb *e = session();
    float *w = ebb_data_mut(ebb_param_find(e, "w"));
    double *b = ebb_data_mut(ebb_param_find(e, "b"));
    for (int i = 0; i < 6; i++) w[i] = (float)-i - 1;
    b[0] = -7;
    write_file(data, size);
    const int64_t before = fuzz_tensors(e);
    const ebb_status s = ebb_load(e, path);
    fuzz_note("%s %s\n", ebb_status_name(s), ebb_error(e));
    if (s != EBB_OK) {
        FUZZ_CHECK(s == EBB_E_IO && ebb_error_code(e) == s, "%s is no answer to a wrong file", ebb_status_name(s));
        FUZZ_CHECK(strstr(ebb_error(e), path), "the error does not name the file: %s", ebb_error(e));
        fuzz_error(e);
        for (int i = 0; i < 6; i++)
            FUZZ_CHECK(w[i] == (float)-i - 1, "w[%d] is changed to %g", i, (double)w[i]);
        FUZZ_CHECK(b[0] == -7, "b is changed to %g", b[0]);
    } else {
        FUZZ_CHECK(!ebb_failed(e), "%s", ebb_error(e));
        const uint8_t *end = data + size; /* w and b are the last bytes of a file that is read */
        FUZZ_CHECK(size > 40 && (!memcmp(end - 24, w, 24) || !memcmp(end - 32, w, 24)),
                   "w is not what is in the file");
        FUZZ_CHECK(!memcmp(end - 32, b, 8) || !memcmp(end - 8, b, 8), "b is not what is in the file");
    }
    FUZZ_CHECK(fuzz_tensors(e) == before, "%lld tensors, %lld before", (long long)fuzz_tensors(e),
               (long long)before);
    fuzz_usable(e);
    return 0;
}
