/* scope.c - floor 4: sessions, scopes, regions, no_grad, detach, hooks, requires_grad: who owns what, and until when. */
#include "call.h"
#include "parallel.h"
#include "plugins.h"
#include "probes.h"
#include <stdio.h>
#include <stdlib.h>

#ifndef EBB_VERSION
#define EBB_VERSION "0.1.0"
#endif

const char *ebb_version(void) { return EBB_VERSION; }

/* ---- session ---- */

static void *system_alloc(void *user, size_t bytes) {
    (void)user;
    return malloc(bytes);
}
static void system_free(void *user, void *p, size_t bytes) {
    (void)user;
    (void)bytes;
    free(p);
}

static int machine_level(void) {
#if defined __x86_64__ && !defined EBB_ONE_LEVEL
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 1;
#endif
    return 0;
}

const char *ebb_level_name(int level) {
#if defined __x86_64__ && !defined EBB_ONE_LEVEL
    static const char *const names[] = {"SSE2", "AVX2", "AVX-512"};
    return level >= 0 && level < 3 ? names[level] : "?";
#elif defined __wasm_simd128__
    (void)level;
    return "wasm simd128";
#else
    (void)level;
    return "baseline";
#endif
}

static ebb *session_new(const ebb_options *given) {
    ebb_options o = {.size = sizeof o};
    if (given) memcpy(&o, given, given->size && given->size < sizeof o ? given->size : sizeof o);
    const bool own = o.alloc && o.free; /* one without the other would mix two allocators */
    void *(*get)(void *, size_t) = own ? o.alloc : system_alloc;
    void (*put)(void *, void *, size_t) = own ? o.free : system_free;
    ebb *e = (ebb *)get(o.alloc_user, sizeof *e);
    if (!e) return NULL;
    memset(e, 0, sizeof *e);
    e->opt = o;
    e->mem = (ebb__alloc){.get = get, .put = put, .user = o.alloc_user, .limit = o.memory_limit};
    e->threads = o.threads > 0 ? o.threads : ebb__cores();
    e->grain = o.grain > 0 ? o.grain : 32768;
    e->level = machine_level();
    if (o.level > 0 && o.level - 1 < e->level) e->level = o.level - 1;
    e->seed = o.seed;
    e->next_hook = 1;
    e->kept_from = SIZE_MAX;
    ebb__host_open(e);
    size_t cap = 0;
    if (ebb__tape_open(e) == EBB_OK && ebb__registry_open(e) == EBB_OK &&
        ebb__grow(e, &e->regions, &cap, 0, 1, sizeof *e->regions)) {
        e->cap_regions = (uint32_t)cap;
        e->regions[0] = ebb__strdup(e, "");
        e->n_regions = 1;
    }
    if (e->code == EBB_OK) return e;
    ebb_close(e);
    return NULL;
}

ebb *ebb_open(const ebb_options *options) {
    ebb *e = session_new(options);
    if (e && !e->opt.bare && ebb__load_builtin(e) != EBB_OK) {
        ebb_close(e);
        return NULL;
    }
    return e;
}

ebb *ebb_open_like(const ebb *like, const ebb_options *options) {
    if (!like) return NULL;
    ebb *e = session_new(options);
    for (size_t i = 0; e && i < like->reg->n_plugins; i++)
        if (ebb__register(e, like->reg->plugins[i].given, like->reg->plugins[i].path) != EBB_OK) {
            ebb_close(e);
            return NULL;
        }
    return e;
}

void ebb_close(ebb *e) {
    if (!e) return;
    ebb__probes_off(e);
    /* every block of the session is on the allocator's list: nothing needs to be taken apart */
    ebb__alloc mem = e->mem;
    ebb__alloc_close(&mem);
    mem.put(mem.user, e, sizeof *e);
}

void ebb_threads_set(ebb *e, int threads) {
    if (e) e->threads = threads < 1 ? 1 : threads;
}
int ebb_threads(const ebb *e) { return e ? e->threads : 0; }
int ebb_level(const ebb *e) { return e ? e->level : 0; }

void ebb_memory_stats(const ebb *e, ebb_memory *out) {
    if (!out) return;
    *out = (ebb_memory){0};
    if (!e) return;
    out->in_use = e->mem.in_use;
    out->peak = e->mem.peak;
    out->held = e->mem.held;
    out->tape = e->tape->bytes + e->tape->n * sizeof *e->tape->node;
    out->tensors = e->live;
}

void ebb_memory_trim(ebb *e) {
    if (e) ebb__alloc_trim(&e->mem);
}

/* ---- scopes ---- */

ebb_scope *ebb_begin(ebb *e) {
    if (!e || e->code != EBB_OK) return NULL;
    ebb_scope *s = e->spare_scopes;
    if (s) e->spare_scopes = s->outer;
    else s = (ebb_scope *)ebb__get(e, sizeof *s);
    if (!s) return NULL;
    *s = (ebb_scope){.e = e,
                     .id = ++e->scopes,
                     .outer = e->scope,
                     .owned_mark = e->n_owned,
                     .tape_mark = e->tape->n,
                     .no_grad = e->no_grad,
                     .open = true};
    e->scope = s;
    return s;
}

/* Counts t among the tensors that keep a graph beyond its scope. */
static void keep_graph(ebb *e, ebb_tensor *t) {
    if (t->flags & T_KEEPS) return;
    t->flags |= T_KEEPS;
    e->keepers++;
}

/* The graph made inside stays only for a tensor that outlives the scope with nodes that backward has not used up. */
static bool graph_is_kept(ebb *e, const ebb_scope *s) {
    bool kept = s->keeps;
    for (size_t i = s->owned_mark; i < e->n_owned; i++) {
        ebb_tensor *t = e->owned[i];
        if (t->node <= s->tape_mark || !(t->holds || (t->flags & T_ESCAPES))) continue;
        const ebb__node *n = ebb__node_live(t);
        if (!n || (n->flags & N_SPENT)) continue;
        keep_graph(e, t);
        kept = true;
    }
    return kept;
}

void ebb__keep_outer(ebb *e, ebb_tensor *t) {
    if (!e->scope || ebb__owned_since(e, t, e->scope->owned_mark)) return;
    if (!t->holds && !ebb__owned_since(e, t, 0))
        return; /* nobody has it: the inner result of a composed op */
    keep_graph(e, t);
    for (ebb_scope *s = e->scope; s && !ebb__owned_since(e, t, s->owned_mark); s = s->outer) s->keeps = true;
}

void ebb_end(ebb_scope *s) {
    if (!s || !s->open) return;
    ebb *e = s->e;
    for (const ebb_scope *k = e->in_backward ? e->backward_scope : NULL; k; k = k->outer)
        if (k == s) {
            ebb_fail(e, EBB_E_GRAPH,
                     "ebb_end: a backward is running in this scope (this is a hook, a rule or a probe); end it afterwards");
            return;
        }
    while (e->scope != s) ebb_end(e->scope);
    if (!graph_is_kept(e, s)) ebb__tape_cut(e, s->tape_mark);
    else if (s->tape_mark < e->kept_from) e->kept_from = s->tape_mark;
    ebb__owned_cut(e, s->owned_mark);
    for (size_t i = s->owned_mark; i < e->n_owned; i++) e->owned[i]->flags &= (uint16_t)~T_ESCAPES;
    e->no_grad = s->no_grad;
    e->scope = s->outer;
    s->open = false;
    s->outer = e->spare_scopes;
    e->spare_scopes = s;
    if (!e->keepers) ebb__kept_graph_ends(e);
}

void ebb__kept_graph_ends(ebb *e) {
    if (e->scope || e->in_backward) return; /* the outermost scope's end sees to it */
    const size_t from = e->kept_from;
    e->kept_from = SIZE_MAX;
    if (from < e->tape->n) ebb__tape_cut(e, from);
}

ebb_tensor *ebb_escape(ebb_tensor *t) {
    if (!t) return NULL;
    ebb *e = t_session(t);
    if (e->scope && ebb__owned_since(e, t, e->scope->owned_mark)) {
        t->flags |= T_ESCAPES;
    } else if (e->in_backward && !ebb__owned_since(e, t, 0)) { /* a cotangent that only a node holds */
        if (!ebb__own(e, t_hold(t))) return NULL;
        t->flags |= T_ESCAPES;
    }
    return t;
}

void ebb_tape_clear(ebb *e) {
    if (!e || e->in_backward) return;
    ebb__tape_cut(e, 0);
    for (ebb_scope *s = e->scope; s; s = s->outer) s->tape_mark = 0;
}

/* ---- regions ---- */

void ebb_region_begin(ebb *e, const char *name) {
    if (!e) return;
    char full[256];
    const char *outer = e->regions[e->region];
    snprintf(full, sizeof full, *outer ? "%s/%s" : "%s%s", outer, name ? name : "?");
    size_t cap = e->cap_region_stack;
    if (!ebb__grow(e, &e->region_stack, &cap, e->n_region_stack, 1, sizeof *e->region_stack)) {
        e->region_lost++;
        return;
    }
    e->cap_region_stack = (uint32_t)cap;
    e->region_stack[e->n_region_stack++] = e->region;
    for (uint32_t k = 1; k <= e->n_regions; k++) { /* mostly the one made after the last one that began */
        const uint32_t i = (e->last_region + k) % e->n_regions;
        if (strcmp(e->regions[i], full)) continue;
        e->region = e->last_region = i;
        return;
    }
    cap = e->cap_regions;
    char *copy = ebb__strdup(e, full);
    if (!copy || !ebb__grow(e, &e->regions, &cap, e->n_regions, 1, sizeof *e->regions)) {
        ebb__strfree(e, copy);
        return; /* the region is not entered, but its end still pairs */
    }
    e->cap_regions = (uint32_t)cap;
    e->regions[e->n_regions] = copy;
    e->region = e->last_region = e->n_regions++;
}

void ebb_region_end(ebb *e) {
    if (e && e->region_lost) e->region_lost--;
    else if (e && e->n_region_stack) e->region = e->region_stack[--e->n_region_stack];
}

/* ---- gradients: leaves, regions without a graph, hooks ---- */

void ebb_no_grad_begin(ebb *e) {
    if (e) e->no_grad++;
}
void ebb_no_grad_end(ebb *e) {
    if (e && e->no_grad) e->no_grad--;
}

ebb_tensor *ebb_detach(ebb_tensor *t) {
    if (!t || t_session(t)->code != EBB_OK) return NULL;
    ebb_tensor *v = ebb__view(t, t->ndim, t_shape(t), t_stride(t), 0);
    if (!v) return NULL;
    v->flags |= T_DETACHED | T_ALIAS;
    if (v->ext && v->ext->base) { /* it stands for itself */
        ebb__drop(v->ext->base);
        v->ext->base = NULL;
    }
    return v;
}

ebb_status ebb_requires_grad(ebb_tensor *t, bool on) {
    if (!t) return EBB_E_ARG;
    ebb *e = t_session(t);
    char s[200];
    if (e->code != EBB_OK) return e->code;
    if (t->dtype != EBB_F32 && t->dtype != EBB_F64)
        return ebb_fail(e, EBB_E_GRAPH, "%s is of an integer type; only f32 and f64 tensors can need a gradient",
                        ebb_describe(t, s, sizeof s));
    if (t->node)
        return ebb_fail(e, EBB_E_GRAPH,
                        "%s was made by an op and is no leaf: whether it needs a gradient follows from its inputs; use ebb_detach first",
                        ebb_describe(t, s, sizeof s));
    t->flags = (uint16_t)(on ? t->flags | T_REQUIRES : t->flags & ~T_REQUIRES);
    return EBB_OK;
}

ebb_tensor *ebb_grad_of(const ebb_tensor *leaf) { return leaf && leaf->ext ? leaf->ext->grad : NULL; }

void ebb_grad_set(ebb_tensor *leaf, ebb_tensor *grad) {
    if (!leaf) return;
    ebb *e = t_session(leaf);
    if (!grad) {
        if (!leaf->ext || !leaf->ext->grad) return;
        ebb__drop(leaf->ext->grad);
        leaf->ext->grad = NULL;
        return;
    }
    char a[200], b[200];
    if (t_session(grad) != e) {
        ebb_fail(e, EBB_E_ARG, "ebb_grad_set: the gradient for %s belongs to another session",
                 ebb_describe(leaf, b, sizeof b));
        return;
    }
    if (grad->ndim != leaf->ndim || grad->dtype != leaf->dtype ||
        memcmp(t_shape(grad), t_shape(leaf), 8 * (size_t)leaf->ndim)) {
        ebb_fail(e, EBB_E_SHAPE, "ebb_grad_set: the gradient is %s, the tensor %s",
                 ebb_describe(grad, a, sizeof a), ebb_describe(leaf, b, sizeof b));
        return;
    }
    ebb__ext *x = ebb__ext_of(leaf);
    if (!x) return;
    t_hold(grad);
    ebb__drop(x->grad);
    x->grad = grad;
}
