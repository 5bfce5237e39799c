/* safetensors.c - floor 5: file format safetensors: named tensors behind a JSON header.
 *
 *     8 bytes      length of the header, little-endian
 *     header       {"name": {"dtype": "F32", "shape": [2,3], "data_offsets": [begin, end]}, ..., "__metadata__": {...}},
 *                  padded with spaces so that the data starts at a multiple of 8
 *     data         the elements, little-endian, row-major, with no gaps; offsets count from here
 *
 * Save writes a temporary file beside the target, syncs it and renames it over the target: whatever fails, the target is
 * either the old file or the new one. Load reads and checks everything before it writes the first element.
 * Ref: https://github.com/huggingface/safetensors */
#define _XOPEN_SOURCE 700
#include <ebb/plugin.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "elements are copied as they lie in memory");

#define HEADER_MAX 100000000 /* bytes; the limit of the reference implementation */
static const char *const dtype_names[EBB_DTYPES] = {"", "F32", "F64", "I32", "I64", "U8", "BOOL"};

static ebb_status no_memory(ebb *e, const char *path) {
    return ebb_fail(e, EBB_E_MEMORY, "%s: out of memory", path);
}

static size_t bytes_of(const ebb_info *t) { return (size_t)t->numel * ebb_dtype_size((ebb_dtype)t->dtype); }

/* ---- save ----------------------------------------------------------------------------------------------------------- */

/* Adds one tensor to the header, its data at *offset, which moves on. -> false: out of memory. */
static bool add_entry(cJSON *header, const char *name, const ebb_info *t, uint64_t *offset) {
    cJSON *entry = cJSON_AddObjectToObject(header, name);
    cJSON *dtype = cJSON_AddStringToObject(entry, "dtype", dtype_names[t->dtype]);
    cJSON *shape = cJSON_AddArrayToObject(entry, "shape"), *range = cJSON_AddArrayToObject(entry, "data_offsets");
    if (!entry || !dtype || !shape || !range) return false;
    for (int32_t d = 0; d < t->ndim; d++)
        if (!cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)t->shape[d]))) return false;
    const uint64_t end = *offset + bytes_of(t);
    if (!cJSON_AddItemToArray(range, cJSON_CreateNumber((double)*offset))) return false;
    if (!cJSON_AddItemToArray(range, cJSON_CreateNumber((double)end))) return false;
    *offset = end;
    return true;
}

/* Wide elements first, so that each tensor is aligned to its own. place[i]: which tensor comes i-th in the file. */
static void order_by_size(size_t n, const ebb_info *info, size_t *place) {
    size_t at = 0;
    for (size_t size = 8; size; size /= 2)
        for (size_t i = 0; i < n; i++)
            if (ebb_dtype_size((ebb_dtype)info[i].dtype) == size) place[at++] = i;
}

/* The header's text with its length before it and spaces after it. -> owned, free(); NULL: out of memory. */
static char *header_text(size_t n, const char *const *names, const ebb_info *info, const size_t *place,
                         size_t *bytes) {
    cJSON *header = cJSON_CreateObject();
    cJSON *meta = cJSON_AddObjectToObject(header, "__metadata__");
    uint64_t offset = 0;
    bool ok = cJSON_AddStringToObject(meta, "format", "ebb") != NULL;
    for (size_t i = 0; i < n && ok; i++) ok = add_entry(header, names[place[i]], &info[place[i]], &offset);
    char *json = ok ? cJSON_PrintUnformatted(header) : NULL, *out = NULL;
    cJSON_Delete(header);
    if (json) {
        const size_t length = strlen(json), padded = (length + 7) / 8 * 8;
        out = malloc(8 + padded);
        if (out) {
            for (int i = 0; i < 8; i++) out[i] = (char)((uint64_t)padded >> 8 * i & 255);
            memset(out + 8 + length, ' ', padded - length);
            memcpy(out + 8, json, length);
            *bytes = 8 + padded;
        }
    }
    cJSON_free(json);
    return out;
}

static bool write_all(int file, const void *data, size_t n) {
    for (const char *p = data; n;) {
        const ssize_t done = write(file, p, n < 1u << 30 ? n : 1u << 30);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static ebb_status write_tensor(ebb *e, const char *path, int file, const ebb_tensor *t, size_t bytes) {
    const void *data = ebb_data(t);
    void *copy = NULL;
    ebb_status s = EBB_OK;
    if (!bytes) return EBB_OK;
    if (!data) { /* a strided view */
        data = copy = malloc(bytes);
        if (!copy) return no_memory(e, path);
        s = ebb_copy_out(t, copy, bytes);
    }
    if (s == EBB_OK && !write_all(file, data, bytes))
        s = ebb_fail(e, EBB_E_IO, "%s: cannot write: %s", path, strerror(errno));
    free(copy);
    return s;
}

/* After a rename, so that it lasts. Some file systems cannot do this and need not. */
static void sync_directory(const char *path) {
    char *dir = strdup(path);
    char *slash = dir ? strrchr(dir, '/') : NULL;
    if (slash) slash[slash == dir] = 0;
    const int file = dir ? open(slash ? dir : ".", O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        (void)fsync(file);
        close(file);
    }
    free(dir);
}

typedef struct save_plan {
    const char *path;   /* as it was given, for messages */
    const char *target; /* the file itself when path is a symbolic link */
    char *temp;         /* the temporary file */
    char *header;
    size_t header_bytes;
    ebb_info *info;
    size_t *place;
} save_plan;

static ebb_status write_file(ebb *e, const save_plan *p, size_t n, ebb_tensor *const *tensors, int file,
                             mode_t mode) {
    ebb_status s = EBB_OK;
    if (mode && fchmod(file, mode) != 0)
        s = ebb_fail(e, EBB_E_IO, "%s: cannot keep its permissions: %s", p->path, strerror(errno));
    if (s == EBB_OK && !write_all(file, p->header, p->header_bytes))
        s = ebb_fail(e, EBB_E_IO, "%s: cannot write: %s", p->path, strerror(errno));
    for (size_t i = 0; i < n && s == EBB_OK; i++)
        s = write_tensor(e, p->path, file, tensors[p->place[i]], bytes_of(&p->info[p->place[i]]));
    if (s == EBB_OK && fsync(file) != 0)
        s = ebb_fail(e, EBB_E_IO, "%s: cannot write: %s", p->path, strerror(errno));
    if (close(file) != 0 && s == EBB_OK)
        s = ebb_fail(e, EBB_E_IO, "%s: cannot write: %s", p->path, strerror(errno));
    return s;
}

static ebb_status save_planned(ebb *e, save_plan *p, size_t n, const char *const *names,
                               ebb_tensor *const *tensors) {
    struct stat old;
    const bool exists = stat(p->target, &old) == 0;
    if (exists && !S_ISREG(old.st_mode))
        return ebb_fail(e, EBB_E_IO, "%s: is there, but is not a regular file", p->path);
    if (!p->info || !p->place || !p->temp) return no_memory(e, p->path);
    for (size_t i = 0; i < n; i++) {
        ebb_tensor_info(tensors[i], &p->info[i]);
        if (p->info[i].dtype <= EBB_NONE || p->info[i].dtype >= EBB_DTYPES)
            return ebb_fail(e, EBB_E_DTYPE, "%s: tensor '%s' has no dtype that the format knows", p->path,
                            names[i]);
        if (strcmp(names[i], "__metadata__") == 0)
            return ebb_fail(e, EBB_E_NAME,
                            "%s: a tensor cannot be named __metadata__; the format uses that name", p->path);
    }
    order_by_size(n, p->info, p->place);
    p->header = header_text(n, names, p->info, p->place, &p->header_bytes);
    if (!p->header) return no_memory(e, p->path);

    int file = -1;
    for (int i = 0; i < 100 && file < 0; i++) { /* a name that no other process has taken */
        sprintf(p->temp, "%s.tmp.%ld.%d", p->target, (long)getpid(), i);
        file = open(p->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file < 0 && errno != EEXIST) break;
    }
    if (file < 0)
        return ebb_fail(e, EBB_E_IO, "%s: cannot create a file beside it: %s", p->path, strerror(errno));
    ebb_status s = write_file(e, p, n, tensors, file, exists ? old.st_mode & 07777 : 0);
    if (s == EBB_OK && rename(p->temp, p->target) != 0)
        s = ebb_fail(e, EBB_E_IO, "%s: cannot put the new file in its place: %s", p->path, strerror(errno));
    if (s != EBB_OK) unlink(p->temp);
    else sync_directory(p->target);
    return s;
}

static ebb_status save(ebb *e, const char *path, size_t n, const char *const *names, ebb_tensor *const *tensors) {
    char *real = realpath(path, NULL); /* NULL: no such file yet */
    const char *target = real ? real : path;
    save_plan p = {
        .path = path,
        .target = target,
        .temp = malloc(strlen(target) + 48),
        .info = malloc((n + 1) * sizeof *p.info),
        .place = malloc((n + 1) * sizeof *p.place),
    };
    const ebb_status s = save_planned(e, &p, n, names, tensors);
    free(p.temp);
    free(p.header);
    free(p.info);
    free(p.place);
    free(real);
    return s;
}

/* ---- load ----------------------------------------------------------------------------------------------------------- */

/* One tensor to be filled, and where its bytes are in the file. */
typedef struct slot {
    const char *name;
    ebb_tensor *tensor;
    ebb_info info;
    bool found;
    uint64_t begin, end;
} slot;

typedef struct load_plan {
    const char *path;
    size_t n;
    slot *slots; /* by name */
    FILE *file;
    uint64_t data_bytes; /* after the header */
    char *header;
    char *data;
    cJSON *json;
} load_plan;

static int by_name(const void *a, const void *b) {
    return strcmp(((const slot *)a)->name, ((const slot *)b)->name);
}

static int by_begin(const void *a, const void *b) {
    const slot *x = (const slot *)a, *y = (const slot *)b;
    return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin)
                                : (x->end > y->end) - (x->end < y->end);
}

/* A list of names for a message, "a, b, c and 7 more". */
typedef struct name_list {
    char text[400];
    size_t used, count, hidden;
} name_list;

static void list_add(name_list *l, const char *name) {
    const size_t left = sizeof l->text - l->used, need = strlen(name) + 3;
    l->count++;
    if (l->hidden || need + 24 > left) {
        l->hidden++;
        snprintf(l->text + l->used, left, "%s%zu more", l->used ? " and " : "", l->hidden);
    } else l->used += (size_t)snprintf(l->text + l->used, left, "%s%s", l->used ? ", " : "", name);
}

static ebb_status EBB_PRINTF(3, 4) bad_file(ebb *e, const load_plan *p, const char *format, ...) {
    char words[600];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    return ebb_fail(e, EBB_E_IO, "%s: %s", p->path, words);
}

/* A JSON number that is a size: whole, not negative, exact as a double. */
static bool to_size(const cJSON *item, uint64_t *out) {
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > 9007199254740992.0)
        return false;
    *out = (uint64_t)item->valuedouble;
    return (double)*out == item->valuedouble;
}

/* Reads a JSON array of at most `max` sizes. -> how many, -1: not such an array. */
static int to_sizes(const cJSON *array, int max, uint64_t *out) {
    int n = 0;
    if (!cJSON_IsArray(array)) return -1;
    for (const cJSON *item = array->child; item; item = item->next)
        if (n == max || !to_size(item, &out[n++])) return -1;
    return n;
}

/* Opens the file and reads its header, checking each length against the size of the file. */
static ebb_status read_header(ebb *e, load_plan *p) {
    struct stat st;
    unsigned char raw[8];
    const int fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not make us wait */
    p->file = fd < 0 ? NULL : fdopen(fd, "rb");
    if (!p->file) {
        const int why = errno;
        if (fd >= 0) close(fd);
        return bad_file(e, p, "cannot open: %s", strerror(why));
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return bad_file(e, p, "is not a regular file");
    const uint64_t size = (uint64_t)st.st_size;
    if (size < 8)
        return bad_file(e, p, "is %llu bytes, too short for a safetensors file", (unsigned long long)size);
    if (fread(raw, 1, 8, p->file) != 8) return bad_file(e, p, "cannot read: %s", strerror(errno));
    uint64_t length = 0;
    for (int i = 8; i-- > 0;) length = length << 8 | raw[i];
    if (length > HEADER_MAX)
        return bad_file(e, p, "is not a safetensors file: its header would be %llu bytes",
                        (unsigned long long)length);
    if (length > size - 8)
        return bad_file(e, p, "is cut short: the header says it is %llu bytes, and %llu are there",
                        (unsigned long long)length, (unsigned long long)(size - 8));
    p->data_bytes = size - 8 - length;
    p->header = malloc((size_t)length + 1);
    if (!p->header) return no_memory(e, p->path);
    if (fread(p->header, 1, (size_t)length, p->file) != (size_t)length)
        return bad_file(e, p, "cannot read: %s", strerror(errno));
    p->header[length] = 0;
    if (strlen(p->header) != length) return bad_file(e, p, "its header has a zero byte");
    const char *end = NULL;
    p->json = cJSON_ParseWithOpts(p->header, &end, 1); /* nothing but spaces may follow */
    if (!cJSON_IsObject(p->json))
        return bad_file(e, p, "its header cannot be read as a JSON object (byte %zu)",
                        end ? (size_t)(end - p->header) : 0);
    return EBB_OK;
}

/* What the file says of one tensor against the tensor that it is for. */
static ebb_status check_entry(ebb *e, const load_plan *p, const cJSON *entry, slot *s) {
    const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(entry, "dtype");
    uint64_t shape[EBB_MAX_DIMS], range[2];
    char ours[128];
    if (s->found) return bad_file(e, p, "has tensor '%s' twice", s->name);
    s->found = true;
    const int ndim = to_sizes(cJSON_GetObjectItemCaseSensitive(entry, "shape"), EBB_MAX_DIMS, shape);
    if (!cJSON_IsString(dtype) || ndim < 0 ||
        to_sizes(cJSON_GetObjectItemCaseSensitive(entry, "data_offsets"), 2, range) != 2)
        return bad_file(e, p, "tensor '%s' lacks a dtype, a shape of at most %d dims or two data_offsets",
                        s->name, EBB_MAX_DIMS);
    bool same = ndim == s->info.ndim;
    for (int i = 0; i < ndim && same; i++) same = shape[i] == (uint64_t)s->info.shape[i];
    if (strcmp(dtype->valuestring, dtype_names[s->info.dtype]) != 0 || !same) {
        char theirs[200];
        int at = snprintf(theirs, sizeof theirs, "%.8s[", dtype->valuestring);
        for (int i = 0; i < ndim; i++)
            at += snprintf(theirs + at, sizeof theirs - (size_t)at, "%s%llu", i ? "," : "",
                           (unsigned long long)shape[i]);
        snprintf(theirs + at, sizeof theirs - (size_t)at, "]");
        return bad_file(e, p, "tensor '%s' is %s in the file, but the parameter is %s", s->name, theirs,
                        ebb_describe(s->tensor, ours, sizeof ours));
    }
    s->begin = range[0];
    s->end = range[1];
    if (s->begin > s->end || s->end - s->begin != bytes_of(&s->info))
        return bad_file(e, p, "tensor '%s' has data_offsets %llu to %llu, but its shape needs %zu bytes",
                        s->name, (unsigned long long)s->begin, (unsigned long long)s->end, bytes_of(&s->info));
    if (s->end > p->data_bytes)
        return bad_file(e, p, "is cut short: tensor '%s' ends at byte %llu of the data, and %llu are there",
                        s->name, (unsigned long long)s->end, (unsigned long long)p->data_bytes);
    return EBB_OK;
}

/* Every tensor of the file is one of ours and every one of ours is in it. */
static ebb_status match(ebb *e, load_plan *p) {
    name_list unknown = {.used = 0}, missing = {.used = 0};
    for (const cJSON *entry = p->json->child; entry; entry = entry->next) {
        const slot key = {.name = entry->string};
        if (strcmp(key.name, "__metadata__") == 0) continue;
        slot *s = bsearch(&key, p->slots, p->n, sizeof *p->slots, by_name);
        if (!s) list_add(&unknown, key.name);
        else {
            const ebb_status status = check_entry(e, p, entry, s);
            if (status != EBB_OK) return status;
        }
    }
    for (size_t i = 0; i < p->n; i++)
        if (!p->slots[i].found) list_add(&missing, p->slots[i].name);
    if (unknown.count && missing.count)
        return bad_file(e, p, "holds no parameter named %s; holds %s, which no parameter is named",
                        missing.text, unknown.text);
    if (missing.count) return bad_file(e, p, "holds no parameter named %s", missing.text);
    if (unknown.count) return bad_file(e, p, "holds %s, which no parameter is named", unknown.text);
    return EBB_OK;
}

/* The tensors' bytes lie one after the other and fill the file. */
static ebb_status check_layout(ebb *e, load_plan *p) {
    uint64_t at = 0;
    qsort(p->slots, p->n, sizeof *p->slots, by_begin);
    for (size_t i = 0; i < p->n; at = p->slots[i++].end)
        if (p->slots[i].begin != at)
            return bad_file(e, p, "the bytes of tensor '%s' begin at %llu of the data, not at %llu where those before it end",
                            p->slots[i].name, (unsigned long long)p->slots[i].begin, (unsigned long long)at);
    if (at != p->data_bytes)
        return bad_file(e, p, "has %llu bytes after its last tensor", (unsigned long long)(p->data_bytes - at));
    return EBB_OK;
}

static ebb_status load_planned(ebb *e, load_plan *p, const char *const *names, ebb_tensor *const *tensors) {
    if (!p->slots) return no_memory(e, p->path);
    for (size_t i = 0; i < p->n; i++) {
        p->slots[i] = (slot){.name = names[i], .tensor = tensors[i]};
        ebb_tensor_info(tensors[i], &p->slots[i].info);
        if (p->slots[i].info.numel && !ebb_data(tensors[i]))
            return ebb_fail(e, EBB_E_ARG, "%s: tensor '%s' is a strided view; load into a contiguous tensor",
                            p->path, names[i]);
    }
    qsort(p->slots, p->n, sizeof *p->slots, by_name);
    for (size_t i = 1; i < p->n; i++)
        if (strcmp(p->slots[i - 1].name, p->slots[i].name) == 0)
            return ebb_fail(e, EBB_E_NAME, "%s: two tensors to be loaded are named '%s'", p->path,
                            p->slots[i].name);
    ebb_status s = read_header(e, p);
    if (s == EBB_OK) s = match(e, p);
    if (s == EBB_OK) s = check_layout(e, p);
    if (s != EBB_OK) return s;

    p->data = malloc((size_t)p->data_bytes + 1);
    if (!p->data) return no_memory(e, p->path);
    errno = 0;
    if (fread(p->data, 1, (size_t)p->data_bytes, p->file) != (size_t)p->data_bytes)
        return bad_file(e, p, "cannot read: %s", errno ? strerror(errno) : "the file became shorter");
    for (size_t i = 0; i < p->n; i++) {
        const slot *to = &p->slots[i];
        if (to->info.numel)
            memcpy(ebb_data_mut(to->tensor), p->data + to->begin, (size_t)(to->end - to->begin));
    }
    return EBB_OK;
}

static ebb_status load(ebb *e, const char *path, size_t n, const char *const *names, ebb_tensor *const *tensors) {
    load_plan p = {.path = path, .n = n, .slots = malloc((n + 1) * sizeof *p.slots)};
    const ebb_status s = load_planned(e, &p, names, tensors);
    cJSON_Delete(p.json);
    if (p.file) fclose(p.file);
    free(p.header);
    free(p.data);
    free(p.slots);
    return s;
}

static const ebb_format_decl safetensors = {
    .size = sizeof(ebb_format_decl),
    .name = "safetensors",
    .ext = ".safetensors",
    .doc = "Tensors behind a JSON header, as Hugging Face's safetensors reads and writes them.",
    .save = save,
    .load = load,
};

EBB_PLUGIN_OF(safetensors, .doc = "Parameters in safetensors files.", .formats = EBB_LIST(ebb_format_decl, &safetensors));
