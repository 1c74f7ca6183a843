/* Wiping, constant-time comparison, and text forms of octets: UTF-8, hexadecimal, base64, EUI-64. */
#ifndef KEYWAY_BASE_BYTES_H
#define KEYWAY_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/rd.h"
#include "base/wr.h"

void bytes_wipe(void *octets, size_t len);                          /* never optimised away */
bool bytes_equal_ct(const void *a, const void *b, size_t len);      /* constant time */

/* Octets of the UTF-8 character that text begins with: shortest form only, no surrogates, up to U+10FFFF. 0 when it begins with none. */
size_t utf8_length(struct rd text);
bool utf8_is(struct rd text) MUST_CHECK; /* all of it */

#define HEX_SIZE(octets) (2 * (octets) + 1)
/* Lower case, zero-terminated; text must hold HEX_SIZE(len). */
void hex_print(char *text, const void *octets, size_t len);
/* Exactly len octets, upper or lower case, no separators. */
bool hex_parse(struct rd text, void *octets, size_t len) MUST_CHECK;
/* Any number of octets up to capacity; spaces, ':' and '-' between octets are skipped. */
bool hex_parse_loose(struct rd text, uint8_t *octets, size_t capacity, size_t *len) MUST_CHECK;

void base64_print(struct wr *w, struct rd octets);                  /* RFC 4648 section 4, padded */
bool base64_parse(struct rd text, struct wr *octets) MUST_CHECK;    /* strict; false on any stray character */
/* RFC 4648 section 5 without padding, as JOSE has it; strict likewise. */
void base64url_print(struct wr *w, struct rd octets);
bool base64url_parse(struct rd text, struct wr *octets) MUST_CHECK;

/* An EUI-64 is a uint64_t whose most significant octet is the first one printed. */
#define EUI64_SIZE 17
void eui64_print(char text[static EUI64_SIZE], uint64_t eui64);     /* 16 lower-case digits */
/* "00124b0001020304", "00:12:4b:...", "00-12-...", "0x..."; false otherwise. */
bool eui64_parse(struct rd text, uint64_t *eui64) MUST_CHECK;

#endif
