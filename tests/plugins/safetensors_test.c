/* safetensors_test.c - safetensors files: what is written, what is read, and every way in which a file can be wrong. */
#define _XOPEN_SOURCE 700
#include "../test.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64]; /* of this run */

static int make_dir(void **state) {
    UNUSED(state);
    snprintf(dir, sizeof dir, "/tmp/ebb-safetensors-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static const char *in_dir(const char *name) {
    static char path[2][512];
    static int turn;
    char *p = path[turn++ & 1];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

/* How many files there are in the directory; removes them with `clean`. */
static int files(bool clean) {
    int n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *f; (f = readdir(d));) {
        if (f->d_name[0] == '.') continue;
        n++;
        if (clean && unlink(in_dir(f->d_name)) != 0) rmdir(in_dir(f->d_name));
    }
    closedir(d);
    return n;
}

static int remove_dir(void **state) {
    UNUSED(state);
    files(true);
    return rmdir(dir);
}

static int session_clean(void **state) {
    files(true);
    return session_close(state);
}
#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, session_open, session_clean)

/* The whole file. -> owned. */
static unsigned char *slurp(const char *path, size_t *n) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    unsigned char *data = malloc(1 << 20);
    *n = fread(data, 1, 1 << 20, f);
    fclose(f);
    return data;
}

static void spit(const char *path, const void *data, size_t n) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* A file of this header, with the right length before it, and n bytes of data: 1.0f over and over. */
static const char *craft(const char *header, size_t n) {
    unsigned char data[1024];
    const size_t length = strlen(header);
    const float one = 1;
    assert_true(8 + length + n <= sizeof data);
    for (int i = 0; i < 8; i++) data[i] = (unsigned char)((uint64_t)length >> 8 * i & 255);
    memcpy(data + 8, header, length);
    for (size_t i = 0; i < n; i++) data[8 + length + i] = ((const unsigned char *)&one)[i % 4];
    spit(in_dir("crafted.safetensors"), data, 8 + length + n);
    return in_dir("crafted.safetensors");
}

/* Parameters w f32[2,3] = 0 .. 5 and b f64[2] = 10, 20. */
static void two_params(ebb *e, ebb_tensor *p[2]) {
    p[0] = ebb_param(e, "w", EBB_F32, EBB_SHAPE(2, 3), NULL);
    p[1] = ebb_param(e, "b", EBB_F64, EBB_SHAPE(2), NULL);
    memcpy(ebb_data_mut(p[0]), (float[]){0, 1, 2, 3, 4, 5}, 24);
    memcpy(ebb_data_mut(p[1]), (double[]){10, 20}, 16);
}

static void unchanged(ebb_tensor *p[2]) {
    assert_values(p[0], 0, 1, 2, 3, 4, 5);
    assert_values(p[1], 10, 20);
}

static void zero(ebb_tensor *t) {
    memset(ebb_data_mut(t), 0, (size_t)ebb_numel(t) * ebb_dtype_size(ebb_tensor_dtype(t)));
}

/* ---- what is written ------------------------------------------------------------------------------------------- */

static void what_is_saved_is_loaded(void **state) {
    ebb *e = *state;
    ebb_tensor *p[2];
    two_params(e, p);
    assert_int_equal(ebb_save(e, in_dir("a.safetensors")), EBB_OK);
    zero(p[0]);
    zero(p[1]);
    assert_int_equal(ebb_load(e, in_dir("a.safetensors")), EBB_OK);
    assert_no_error(e);
    unchanged(p);
    assert_int_equal(files(false), 1);
}

static void the_bytes_are_as_specified(void **state) {
    ebb *e = *state;
    ebb_tensor *p[2];
    two_params(e, p);
    assert_int_equal(ebb_save(e, in_dir("a.safetensors")), EBB_OK);
    size_t n;
    unsigned char *file = slurp(in_dir("a.safetensors"), &n);
    const char *header = "{\"__metadata__\":{\"format\":\"ebb\"},"
                         "\"b\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]},"
                         "\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[16,40]}}";
    const size_t padded = (strlen(header) + 7) / 8 * 8;
    assert_int_equal(n, 8 + padded + 40);
    assert_int_equal(file[0] + 256 * file[1], padded);
    for (int i = 2; i < 8; i++) assert_int_equal(file[i], 0);
    assert_memory_equal(file + 8, header, strlen(header));
    for (size_t i = strlen(header); i < padded; i++) assert_int_equal(file[8 + i], ' ');
    assert_memory_equal(file + 8 + padded, ebb_data(p[1]), 16); /* the wider type first: all is aligned */
    assert_memory_equal(file + 8 + padded + 16, ebb_data(p[0]), 24);
    free(file);
}

static void any_name_and_any_shape_come_back(void **state) {
    ebb *e = *state;
    static const char *const names[] = {
        "quote\"back\\slash", "line\nbreak\ttab", "gr\xc3\xb6n", "dots.and/slashes", " ", "{}"};
    const ebb_ints shapes[] = {EBB_SHAPE0,   EBB_SHAPE(0, 3), EBB_SHAPE(1, 1, 1, 1, 1, 1, 1, 2),
                               EBB_SHAPE(7), EBB_SHAPE(2, 0), EBB_SHAPE(3, 2)};
    ebb_tensor *p[COUNT(names)];
    for (size_t i = 0; i < COUNT(names); i++) {
        p[i] = ebb_param(e, names[i], i % 2 ? EBB_F64 : EBB_F32, shapes[i], ebb_ones);
        assert_non_null(p[i]);
    }
    assert_int_equal(ebb_save(e, in_dir("a.safetensors")), EBB_OK);
    for (size_t i = 0; i < COUNT(names); i++)
        if (ebb_numel(p[i])) zero(p[i]);
    assert_int_equal(ebb_load(e, in_dir("a.safetensors")), EBB_OK);
    assert_no_error(e);
    for (size_t i = 0; i < COUNT(names); i++)
        for (int64_t j = 0; j < ebb_numel(p[i]); j++) assert_true(ebb_at(p[i], j) == 1);
}

static void a_session_without_parameters_is_a_file_too(void **state) {
    ebb *e = *state;
    assert_int_equal(ebb_save(e, in_dir("a.safetensors")), EBB_OK);
    assert_int_equal(ebb_load(e, in_dir("a.safetensors")), EBB_OK);
    assert_no_error(e);
}

static void special_numbers_keep_their_bits(void **state) {
    ebb *e = *state;
    const uint32_t bits[6] = {0x7fc12345, 0xff800000, 0x80000000, 1, 0x7f7fffff, 0xffffffff};
    ebb_tensor *p = ebb_param(e, "p", EBB_F32, EBB_SHAPE(6), NULL);
    memcpy(ebb_data_mut(p), bits, sizeof bits);
    assert_int_equal(ebb_save(e, in_dir("a.safetensors")), EBB_OK);
    zero(p);
    assert_int_equal(ebb_load(e, in_dir("a.safetensors")), EBB_OK);
    assert_memory_equal(ebb_data(p), bits, sizeof bits);
}

static void a_name_that_the_format_uses_is_refused(void **state) {
    ebb *e = *state;
    ebb_param(e, "__metadata__", EBB_F32, EBB_SHAPE(1), NULL);
    assert_int_equal(ebb_save(e, in_dir("a.safetensors")), EBB_E_NAME);
    assert_error(e, EBB_E_NAME, "__metadata__");
    assert_int_equal(files(false), 0);
}

/* ---- saving over what is there ----------------------------------------------------------------------------------- */

static void the_old_file_is_replaced_and_keeps_its_mode(void **state) {
    ebb *e = *state;
    ebb_tensor *p[2];
    struct stat st;
    two_params(e, p);
    spit(in_dir("a.safetensors"), "old", 3);
    assert_int_equal(chmod(in_dir("a.safetensors"), 0640), 0);
    assert_int_equal(ebb_save(e, in_dir("a.safetensors")), EBB_OK);
    assert_int_equal(stat(in_dir("a.safetensors"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(ebb_load(e, in_dir("a.safetensors")), EBB_OK);
    assert_int_equal(files(false), 1);
}

static void a_symbolic_link_stays_one(void **state) {
    ebb *e = *state;
    ebb_tensor *p[2];
    struct stat st;
    two_params(e, p);
    spit(in_dir("real.safetensors"), "old", 3);
    assert_int_equal(symlink("real.safetensors", in_dir("link.safetensors")), 0);
    assert_int_equal(ebb_save(e, in_dir("link.safetensors")), EBB_OK);
    assert_int_equal(lstat(in_dir("link.safetensors"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(ebb_load(e, in_dir("real.safetensors")), EBB_OK);
    assert_no_error(e);
}

/* A disk that is full: the limit on the size of a file makes write() fail the same way. */
static void a_full_disk_leaves_the_old_file(void **state) {
    ebb *e = *state;
    ebb_param(e, "big", EBB_F32, EBB_SHAPE(10000), NULL);
    spit(in_dir("a.safetensors"), "old", 3);
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    for (rlim_t limit = 0; limit < 40000; limit += 9999) {
        small = (struct rlimit){limit, old.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        const ebb_status s = ebb_save(e, in_dir("a.safetensors"));
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(s, EBB_E_IO);
        assert_error(e, EBB_E_IO, "a.safetensors|cannot write");
        size_t n;
        unsigned char *file = slurp(in_dir("a.safetensors"), &n);
        assert_int_equal(n, 3);
        assert_memory_equal(file, "old", 3);
        free(file);
        assert_int_equal(files(false), 1); /* the temporary file is gone */
    }
    signal(SIGXFSZ, handler);
}

static void where_nothing_can_be_written_is_an_error(void **state) {
    ebb *e = *state;
    ebb_tensor *p[2];
    two_params(e, p);
    assert_int_equal(ebb_save(e, in_dir("no/such/a.safetensors")), EBB_E_IO);
    assert_error(e, EBB_E_IO, "a.safetensors|cannot create");
    spit(in_dir("file"), "x", 1);
    assert_int_equal(ebb_save(e, in_dir("file/a.safetensors")), EBB_E_IO);
    assert_error(e, EBB_E_IO, "a.safetensors|cannot create");
    assert_int_equal(mkdir(in_dir("d.safetensors"), 0777), 0);
    assert_int_equal(ebb_save(e, in_dir("d.safetensors")), EBB_E_IO);
    assert_error(e, EBB_E_IO, "d.safetensors|not a regular file");
    if (geteuid() == 0) return; /* root may write anywhere */
    assert_int_equal(chmod(dir, 0500), 0);
    assert_int_equal(ebb_save(e, in_dir("a.safetensors")), EBB_E_IO);
    assert_int_equal(chmod(dir, 0700), 0);
    assert_error(e, EBB_E_IO, "a.safetensors|ermission");
}

/* ---- reading what others wrote ----------------------------------------------------------------------------------- */

#define B "\"b\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[24,40]}"
#define W "\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}"

static void other_orders_and_spaces_are_read(void **state) {
    ebb *e = *state;
    ebb_tensor *p[2];
    two_params(e, p);
    static const char *const good[] = {
        "{" W "," B "}",
        "{" B "," W "}   ",
        "{ " W ",\n" B ", \"__metadata__\": {\"a\": \"b\"} }",
        "{\"__metadata__\":{}," B
        ",\"w\" : { \"data_offsets\" : [ 0 , 24.0 ] , \"shape\" : [2e0, 3], \"dtype\" : \"F32\" } }",
        "{\"\\u0077\":{\"dtype\":\"F\\u00332\",\"shape\":[2,3],\"data_offsets\":[0,24]}," B "}",
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        zero(p[0]);
        assert_int_equal(ebb_load(e, craft(good[i], 40)), EBB_OK);
        assert_no_error(e);
        assert_values(p[0], 1, 1, 1, 1, 1, 1);
    }
}

static void wrong_files_are_refused_whole(void **state) {
    ebb *e = *state;
    ebb_tensor *p[2];
    two_params(e, p);
    static const struct {
        const char *header;
        size_t bytes;
        const char *words;
    } bad[] = {
        {"", 0, "JSON"},
        {"{", 0, "JSON"},
        {"[]", 0, "JSON"},
        {"null", 0, "JSON"},
        {"{}", 0, "no parameter named|w|b"},
        {"{}x", 0, "JSON"},
        {"{} {}", 0, "JSON"},
        {"{" W "," B ",}", 40, "JSON"},
        {"{" W "}", 24, "no parameter named b"},
        {"{" W "," B ",\"c\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[40,44]}}", 44, "holds c"},
        {"{" W ",\"B\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[24,40]}}", 40,
         "no parameter named b|holds B"},
        {"{" W "," B "," W "}", 40, "'w' twice"},
        {"{" B ",\"w\":5}", 40, "'w' lacks"},
        {"{" B ",\"w\":{}}", 40, "'w' lacks"},
        {"{" B ",\"w\":{\"dtype\":1,\"shape\":[2,3],\"data_offsets\":[0,24]}}", 40, "'w' lacks"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":6,\"data_offsets\":[0,24]}}", 40, "'w' lacks"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[2,\"3\"],\"data_offsets\":[0,24]}}", 40, "'w' lacks"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[2,-3],\"data_offsets\":[0,24]}}", 40, "'w' lacks"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[2,3.5],\"data_offsets\":[0,24]}}", 40, "'w' lacks"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,2,3],\"data_offsets\":[0,24]}}", 40, "'w' lacks"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[2,3]}}", 40, "'w' lacks"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0]}}", 40, "'w' lacks"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24,24]}}", 40, "'w' lacks"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[-24,0]}}", 40, "'w' lacks"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,1e300]}}", 40, "'w' lacks"},
        {"{" B ",\"w\":{\"dtype\":\"F64\",\"shape\":[2,3],\"data_offsets\":[0,24]}}", 40, "'w' is F64[2,3]|f32[2,3]"},
        {"{" B ",\"w\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[0,24]}}", 40, "BF16[2,3]"},
        {"{" B ",\"w\":{\"dtype\":\"a dtype that has a very long name\",\"shape\":[2,3],\"data_offsets\":[0,24]}}",
         40, "'w' is a dtype"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]}}", 40, "F32[3,2]|f32[2,3]"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":[0,24]}}", 40, "F32[6]|f32[2,3]"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,24]}}", 40, "F32[]"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[9007199254740992,9007199254740992],\"data_offsets\":[0,24]}}",
         40, "9007199254740992"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,20]}}", 40, "24 bytes"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[24,0]}}", 40, "24 bytes"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[17,41]}}", 40, "cut short"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[9007199254740968,9007199254740992]}}",
         40, "cut short"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[16,40]}}", 40, "begin at"},
        {"{" B ",\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[1,25]}}", 41, "begin at"},
        {"{" W "," B "}", 39, "cut short"},
        {"{" W "," B "}", 0, "cut short"},
        {"{" W "," B "}", 41, "1 bytes after"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (ebb_load(e, craft(bad[i].header, bad[i].bytes)) != EBB_E_IO)
            fail_msg("%s was not refused: %s", bad[i].header, ebb_error(e));
        assert_error(e, EBB_E_IO, "crafted.safetensors");
        assert_int_equal(ebb_load(e, craft(bad[i].header, bad[i].bytes)), EBB_E_IO);
        assert_error(e, EBB_E_IO, bad[i].words);
        unchanged(p);
    }
}

static void wrong_lengths_are_refused(void **state) {
    ebb *e = *state;
    ebb_tensor *p[2];
    two_params(e, p);
    static const struct {
        unsigned char bytes[12];
        size_t n;
        const char *words;
    } bad[] = {
        {{0}, 0, "too short"},
        {{2, 0, 0, 0, 0, 0, 0}, 7, "too short"},
        {{0}, 8, "JSON"},
        {{2, 0, 0, 0, 0, 0, 0, 0, '{'}, 9, "cut short"},
        {{4, 0, 0, 0, 0, 0, 0, 0, '{', 0, '}', ' '}, 12, "zero byte"},
        {{0, 0, 0, 0, 0, 0, 0, 0x80}, 8, "9223372036854775808"},
        {{255, 255, 255, 255, 255, 255, 255, 255}, 8, "18446744073709551615"},
        {{1, 0xe1, 0xf5, 5}, 8, "100000001"},
        {{'P', 'K', 3, 4, 'z', 'i', 'p', 0, 0, 0, 0, 0}, 12, "not a safetensors file"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        spit(in_dir("a.safetensors"), bad[i].bytes, bad[i].n);
        assert_int_equal(ebb_load(e, in_dir("a.safetensors")), EBB_E_IO);
        assert_error(e, EBB_E_IO, bad[i].words);
        unchanged(p);
    }
}

/* A file cut after any of its bytes is refused; with any byte of its header changed it is refused or read, without harm. */
static void no_cut_and_no_flip_does_harm(void **state) {
    ebb *e = *state;
    ebb_tensor *p[2];
    two_params(e, p);
    assert_int_equal(ebb_save(e, in_dir("a.safetensors")), EBB_OK);
    size_t n;
    unsigned char *file = slurp(in_dir("a.safetensors"), &n);
    for (size_t cut = 0; cut < n; cut++) {
        spit(in_dir("cut.safetensors"), file, cut);
        assert_int_equal(ebb_load(e, in_dir("cut.safetensors")), EBB_E_IO);
        assert_error(e, EBB_E_IO, "cut.safetensors");
        unchanged(p);
    }
    for (size_t at = 0; at < n - 40; at++)
        for (int bit = 0; bit < 8; bit++) {
            file[at] ^= (unsigned char)(1 << bit);
            spit(in_dir("flip.safetensors"), file, n);
            if (ebb_load(e, in_dir("flip.safetensors")) != EBB_OK)
                assert_error(e, EBB_E_IO, "flip.safetensors");
            unchanged(p);
            file[at] ^= (unsigned char)(1 << bit);
        }
    free(file);
}

static void deep_nesting_is_refused(void **state) {
    ebb *e = *state;
    enum { N = 200000 };
    char *file = malloc(8 + N);
    memset(file, 0, 8);
    for (int i = 0; i < 4; i++) file[i] = (char)(N >> 8 * i & 255);
    memset(file + 8, '[', N);
    spit(in_dir("deep.safetensors"), file, 8 + N);
    free(file);
    assert_int_equal(ebb_load(e, in_dir("deep.safetensors")), EBB_E_IO);
    assert_error(e, EBB_E_IO, "JSON");
}

static void what_is_not_a_file_is_refused(void **state) {
    ebb *e = *state;
    assert_int_equal(ebb_load(e, in_dir("none.safetensors")), EBB_E_IO);
    assert_error(e, EBB_E_IO, "none.safetensors|No such file");
    assert_int_equal(mkdir(in_dir("d.safetensors"), 0777), 0);
    assert_int_equal(ebb_load(e, in_dir("d.safetensors")), EBB_E_IO);
    assert_error(e, EBB_E_IO, "d.safetensors|not a regular file");
    assert_int_equal(mkfifo(in_dir("pipe.safetensors"), 0600), 0);
    assert_int_equal(ebb_load(e, in_dir("pipe.safetensors")), EBB_E_IO); /* and does not wait for a writer */
    assert_error(e, EBB_E_IO, "pipe.safetensors|not a regular file");
    assert_int_equal(ebb_save(e, in_dir("pipe.safetensors")), EBB_E_IO);
    assert_error(e, EBB_E_IO, "pipe.safetensors|not a regular file");
}

static void long_lists_of_names_are_cut(void **state) {
    ebb *e = *state;
    for (int i = 0; i < 200; i++) {
        char name[40];
        snprintf(name, sizeof name, "layer%d.weight", i);
        assert_non_null(ebb_param(e, name, EBB_F32, EBB_SHAPE(1), NULL));
    }
    assert_int_equal(ebb_load(e, craft("{" W "}", 24)), EBB_E_IO);
    assert_error(e, EBB_E_IO, "layer0.weight|and|more|holds w");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(what_is_saved_is_loaded),
        FILE_TEST(the_bytes_are_as_specified),
        FILE_TEST(any_name_and_any_shape_come_back),
        FILE_TEST(a_session_without_parameters_is_a_file_too),
        FILE_TEST(special_numbers_keep_their_bits),
        FILE_TEST(a_name_that_the_format_uses_is_refused),
        FILE_TEST(the_old_file_is_replaced_and_keeps_its_mode),
        FILE_TEST(a_symbolic_link_stays_one),
        FILE_TEST(a_full_disk_leaves_the_old_file),
        FILE_TEST(where_nothing_can_be_written_is_an_error),
        FILE_TEST(other_orders_and_spaces_are_read),
        FILE_TEST(wrong_files_are_refused_whole),
        FILE_TEST(wrong_lengths_are_refused),
        FILE_TEST(no_cut_and_no_flip_does_harm),
        FILE_TEST(deep_nesting_is_refused),
        FILE_TEST(what_is_not_a_file_is_refused),
        FILE_TEST(long_lists_of_names_are_cut),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
