/* lexer.c - floor 6: the characters of a model's text to tokens, one at a time; any bytes give tokens or a token that says what is wrong. */
#include "tree.h"
#include <locale.h>
#include <stdlib.h>

static int peek(const ebb__lexer *l, int ahead) {
    return l->at + ahead < l->n ? (unsigned char)l->text[l->at + ahead] : -1;
}

/* Past one byte. Columns count characters: the further bytes of one in UTF-8 are not counted. */
static void next(ebb__lexer *l) {
    const unsigned char c = (unsigned char)l->text[l->at++];
    if (c == '\n') l->line++, l->column = 1;
    else if ((c & 0xc0) != 0x80) l->column++;
}

static bool digit(int c) { return c >= '0' && c <= '9'; }
static bool letter(int c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static void skip_blanks(ebb__lexer *l) {
    for (;;) {
        const int c = peek(l, 0);
        if (c == '#')
            while (peek(l, 0) >= 0 && peek(l, 0) != '\n') next(l);
        else if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && l->brackets)) next(l);
        else return;
    }
}

/* strtod reads the locale's decimal point. */
static double number_of(const char *text, int n) {
    char copy[64];
    memcpy(copy, text, (size_t)n);
    copy[n] = 0;
    char *point = strchr(copy, '.');
    const char *local = localeconv()->decimal_point;
    if (point && local[0] && !local[1]) *point = local[0];
    return strtod(copy, NULL);
}

static void lex_number(ebb__lexer *l, ebb__token *t) {
    const int32_t from = l->at;
    while (digit(peek(l, 0))) next(l);
    if (peek(l, 0) == '.' && !letter(peek(l, 1))) {
        next(l);
        while (digit(peek(l, 0))) next(l);
    }
    const int sign = peek(l, 1) == '+' || peek(l, 1) == '-';
    if ((peek(l, 0) == 'e' || peek(l, 0) == 'E') && digit(peek(l, 1 + sign))) {
        for (int i = 0; i <= sign; i++) next(l);
        while (digit(peek(l, 0))) next(l);
    }
    t->kind = T_NUMBER;
    if (letter(peek(l, 0))) {
        while (letter(peek(l, 0)) || digit(peek(l, 0))) next(l);
        t->kind = T_WRONG, t->wrong = "this is neither a number nor a name";
    } else if (l->at - from > 60) {
        t->kind = T_WRONG, t->wrong = "a number of more than 60 characters";
    } else {
        t->number = number_of(l->text + from, l->at - from);
        if (!isfinite(t->number))
            t->kind = T_WRONG, t->wrong = "this number is too large; the largest are about 1.8e308";
    }
}

static void lex_text(ebb__lexer *l, ebb__token *t) {
    next(l);
    while (peek(l, 0) >= 0 && peek(l, 0) != '"' && peek(l, 0) != '\n') next(l);
    t->kind = T_TEXT;
    if (peek(l, 0) == '"') next(l);
    else t->kind = T_WRONG, t->wrong = "this text has no closing \" in its line";
}

static void lex_symbol(ebb__lexer *l, ebb__token *t) {
    const int c = peek(l, 0), d = peek(l, 1);
    t->kind = T_SYMBOL;
    t->symbol = c == '*' && d == '*'   ? S_POWER
                : c == '=' && d == '=' ? S_EQUAL
                : c == '!' && d == '=' ? S_UNEQUAL
                : c == '<' && d == '=' ? S_AT_MOST
                : c == '>' && d == '=' ? S_AT_LEAST
                                       : c;
    next(l);
    if (t->symbol != c) next(l);
    else if (!c || !strchr("()[]{},:;=~+-*/@.<>", c)) {
        while (peek(l, 0) >= 0x80 && (peek(l, 0) & 0xc0) == 0x80) next(l); /* the rest of the character */
        t->kind = T_WRONG, t->wrong = "this character has no meaning here";
    }
    if (t->kind != T_SYMBOL) return;
    if (c == '(' || c == '[') l->brackets++;
    else if ((c == ')' || c == ']') && l->brackets) l->brackets--;
    else if (c == ';') t->kind = T_LINE;
}

ebb__token ebb__lex(ebb__lexer *l) {
    skip_blanks(l);
    ebb__token t = {.kind = T_END, .span = {.line = l->line, .column = l->column, .offset = l->at}};
    const int c = peek(l, 0);
    if (c == '\n') {
        next(l);
        t.kind = T_LINE;
        t.span.end_line = t.span.line;
        t.span.end_column = t.span.column + 1;
        t.span.length = 1;
        return t;
    }
    if (letter(c)) {
        while (letter(peek(l, 0)) || digit(peek(l, 0))) next(l);
        t.kind = T_NAME;
    } else if (digit(c) || (c == '.' && digit(peek(l, 1)))) lex_number(l, &t);
    else if (c == '"') lex_text(l, &t);
    else if (c >= 0) lex_symbol(l, &t);
    t.span.end_line = l->line;
    t.span.end_column = l->column;
    t.span.length = l->at - t.span.offset;
    return t;
}
