/* words.c - floor 6: the names that the language gives a meaning to, for editors: what they are and what they do. */
#include "model.h"
#include <ebb/plugin.h>

typedef struct word {
    const char *name, *doc;
} word;

static const word statements[] = {
    {"def", "def block(x, n=64) { ... return y }: a part with a name; each call is a region and has parameters of its own"},
    {"return", "what a def gives; several values with commas"},
    {"repeat", "repeat 4 { ... } or repeat 4 as i { ... }: each round is a region, i counts 0, 1 ..."},
    {"region", "region encoder { ... }: what is made inside is shown as one part"},
    {"no_grad", "no_grad { ... }: nothing inside is recorded for the gradient"},
    {"data", "data digits batch 64: x and y are batches of a data set; as img, label names them"},
    {"metric", "metric accuracy = ...: shown beside the loss, outside the graph"},
    {"predict", "predict p = ...: what is shown of a prediction; running for one stops there"},
    {"train", "train adamw lr=1e-3 steps=500 clip=1.0 schedule=cosine warmup=20 seed=1 zero_grad=no"},
    {NULL, NULL}};

static const word words[] = {
    {"training", "1 while training, 0 in evaluation and prediction"},
    {"loss", "the variable that is trained"},
    {"batch", "of data: examples a step"},
    {"as", "data digits as img, label; repeat 4 as i"},
    {"true", "1"},
    {"false", "0"},
    {"yes", "1"},
    {"no", "0"},
    {"inf", "infinity"},
    {"pi", "3.14159..."},
    {"None", "as an index: a new dim of one element"},
    {"steps", "of train: how many steps"},
    {"clip", "of train: the largest norm that all gradients together may have"},
    {"schedule", "of train: constant, cosine or linear, down to 0 at the last step"},
    {"warmup", "of train: steps until the learning rate is reached"},
    {"seed", "of train: all random numbers of the model follow from it"},
    {"zero_grad", "of train: zero_grad=no keeps the gradients of earlier steps, to show the mistake"},
    {"shuffle", "of data: shuffle=no takes the examples in their own order"},
    {NULL, NULL}};

/* Item i of a list of words; *i is less by its length when it lies behind. */
static const word *in_list(const word *list, size_t *i) {
    for (; list->name; list++)
        if ((*i)-- == 0) return list;
    return NULL;
}

static const ebb_optim_decl *optimizer(const ebb *e, size_t *i) {
    for (size_t k = 0; k < ebb_plugin_count(e); k++) {
        const ebb_optim_decl *const *d = ebb_plugin_at(e, k)->optims;
        for (; d && *d; d++)
            if ((*i)-- == 0) return *d;
    }
    return NULL;
}

const char *ebb_lang_word(const ebb *e, size_t i, const char **kind, const char **doc) {
    const char *no_kind, *no_doc;
    const word *w;
    if (!kind) kind = &no_kind;
    if (!doc) doc = &no_doc;
    *kind = *doc = "";
    if (!e) return NULL;
    if ((w = in_list(statements, &i))) *kind = "statement";
    else if ((w = in_list(words, &i))) *kind = "word";
    if (w) return *doc = w->doc, w->name;
    for (const ebb__builtin *b = ebb__builtins; b->name; b++)
        if (i-- == 0) return *kind = "function", *doc = b->doc, b->name;
    for (const char *const(*init)[2] = ebb__inits; (*init)[0]; init++)
        if (i-- == 0) return *kind = "initialiser", *doc = (*init)[1], (*init)[0];
    const ebb_optim_decl *d = optimizer(e, &i);
    if (d) return *kind = "optimizer", *doc = d->doc ? d->doc : "", d->name;
    const char *set = ebb_dataset_name(e, i);
    if (set) *kind = "dataset", *doc = ebb_dataset_doc(e, i);
    return set;
}
