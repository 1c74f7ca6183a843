/* Secrets in memory and at rest: wiped, locked, left out of core dumps; sealed rows that cannot be swapped or bent; key files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "keys/sealed.h"
#include "keys/secret_octets.h"

static struct secret *secret_of(const char *text)
{
	uint8_t octets[SECRET_MAX];
	size_t len = strlen(text);

	memcpy(octets, text, len);
	return secret_take(octets, len);
}

static void taking_wipes_the_source_and_freeing_wipes_the_secret(void **state)
{
	static const uint8_t zeros[SECRET_MAX];
	uint8_t octets[16] = "0123456789abcde";
	struct secret *s = secret_take(octets, sizeof octets);
	const uint8_t *inside;

	(void)state;
	assert_non_null(s);
	assert_memory_equal(octets, zeros, sizeof octets);
	inside = secret_octets(s);
	assert_memory_equal(inside, "0123456789abcde", 16);
	secret_free(s);
	/* its slot stays mapped; the first octets of a free slot link the free ones, the key's place is behind them */
	assert_memory_equal(inside, zeros, 16);
	secret_free(NULL);
}

static void has_no_secret_of_no_length_or_too_long(void **state)
{
	uint8_t octets[SECRET_MAX + 1] = {1, 2, 3};
	struct rng rng = rng_seeded(1);

	(void)state;
	assert_null(secret_take(octets, 0));
	assert_null(secret_random(&rng, 0));
	assert_null(secret_random(&rng, SECRET_MAX + 1));
	assert_null(secret_take(octets, sizeof octets));
	assert_int_equal(octets[0], 0); /* wiped although refused */
}

static void compares_and_copies(void **state)
{
	struct secret *a = secret_of("sixteen octets !"), *b = secret_dup(a), *c = secret_of("sixteen octets ?"), *d = secret_of("sixteen octets");
	struct rng rng = rng_system();
	struct secret *x = secret_random(&rng, 16), *y = secret_random(&rng, 16);

	(void)state;
	assert_true(secret_equal(a, b));
	assert_ptr_not_equal(a, b);
	assert_false(secret_equal(a, c));
	assert_false(secret_equal(a, d));
	assert_int_equal(secret_len(d), 14);
	assert_false(secret_equal(x, y));
	secret_free(a);
	assert_memory_equal(secret_octets(b), "sixteen octets !", 16);
	secret_free(b);
	secret_free(c);
	secret_free(d);
	secret_free(x);
	secret_free(y);
}

static void holds_thousands_of_secrets_apart(void **state)
{
	enum { COUNT = 5000 };
	static struct secret *all[COUNT];

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		uint8_t octets[16] = {0};

		memcpy(octets, &i, sizeof i);
		all[i] = secret_take(octets, sizeof octets);
		assert_non_null(all[i]);
	}
	for (uint32_t i = 0; i < COUNT; i++) {
		assert_memory_equal(secret_octets(all[i]), &i, sizeof i);
		secret_free(all[i]);
	}
}

/* The flags of the mapping that an address is in, as the kernel tells them. */
static bool mapping_has_flag(const void *address, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512];
	bool inside = false, found = false;

	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = (uintptr_t)address >= from && (uintptr_t)address < to;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	fclose(f);
	return found;
}

static void lies_in_memory_that_no_core_dump_has(void **state)
{
	struct secret *s = secret_of("sixteen octets !");
	void *ordinary = malloc(16);

	(void)state;
	assert_true(mapping_has_flag(secret_octets(s), " dd"));
	assert_false(mapping_has_flag(ordinary, " dd"));
	free(ordinary);
	secret_free(s);
}

static void what_is_sealed_opens_only_whole_under_its_label_and_key(void **state)
{
	struct secret *file_key = secret_of("0123456789abcdef0123456789ABCDEF"), *other = secret_of("0123456789abcdef0123456789ABCDEf"), *s = secret_of("sixteen octets !"), *back = NULL;
	struct rng rng = rng_system();
	uint8_t buffer[SEALED_SIZE(16)], second[SEALED_SIZE(16)];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd sealed;

	(void)state;
	assert_int_equal(secret_seal(file_key, "device 1 link", s, &rng, &w), OK);
	assert_true(wr_done(&w, &sealed));
	assert_int_equal(sealed.left, SEALED_SIZE(16));
	assert_int_equal(secret_unseal(file_key, "device 1 link", sealed, &back), OK);
	assert_true(secret_equal(s, back));
	secret_free(back);
	back = NULL;
	assert_int_equal(secret_unseal(file_key, "device 2 link", sealed, &back), ERR_BAD_MIC);
	assert_int_equal(secret_unseal(file_key, "device 1 lin", sealed, &back), ERR_BAD_MIC);
	assert_int_equal(secret_unseal(other, "device 1 link", sealed, &back), ERR_BAD_MIC);
	assert_int_equal(secret_unseal(s, "device 1 link", sealed, &back), ERR_MALFORMED);
	for (size_t i = 0; i < sizeof buffer; i++) {
		buffer[i] ^= 1;
		assert_int_equal(secret_unseal(file_key, "device 1 link", sealed, &back), i == 0 ? ERR_MALFORMED : ERR_BAD_MIC);
		buffer[i] ^= 1;
	}
	for (size_t n = 0; n < sizeof buffer; n++) {
		uint8_t *exact = malloc(n ? n : 1);

		assert_non_null(exact);
		memcpy(exact, buffer, n);
		assert_int_not_equal(secret_unseal(file_key, "device 1 link", rd_of(exact, n), &back), OK);
		free(exact);
	}
	assert_null(back);
	w = wr_of(second, sizeof second);
	assert_int_equal(secret_seal(file_key, "device 1 link", s, &rng, &w), OK);
	assert_memory_not_equal(buffer, second, sizeof buffer); /* a nonce of its own each time */
	w = wr_of(second, sizeof second - 1);
	assert_int_equal(secret_seal(file_key, "device 1 link", s, &rng, &w), ERR_TOO_LONG);
	w = wr_of(second, sizeof second);
	assert_int_equal(secret_seal(s, "device 1 link", s, &rng, &w), ERR_BAD_VALUE);
	secret_free(file_key);
	secret_free(other);
	secret_free(s);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void a_key_file_is_made_once_and_read_only_when_nobody_else_can(void **state)
{
#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	char folder[] = "/tmp/keyway-key-XXXXXX", path[64];
	struct secret *key = NULL, *again = NULL;
	struct rng rng = rng_system();
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/key", folder);
	assert_int_equal(key_file_read(path, &key), ERR_NOT_FOUND);
	assert_int_equal(key_file_create(path, &rng), OK);
	assert_int_equal(key_file_create(path, &rng), ERR_EXISTS);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 65);
	assert_int_equal(key_file_read(path, &key), OK);
	assert_int_equal(secret_len(key), 32);
	assert_int_equal(key_file_read(path, &again), OK);
	assert_true(secret_equal(key, again));
	secret_free(key);
	secret_free(again);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(key_file_read(path, &key), ERR_CONFIG);
	assert_int_equal(chmod(path, 0604), 0);
	assert_int_equal(key_file_read(path, &key), ERR_CONFIG);
	write_file(path, DIGITS, 0600);
	assert_int_equal(key_file_read(path, &key), OK);
	assert_int_equal(secret_octets(key)[1], 0x11);
	secret_free(key);
	write_file(path, DIGITS "\n", 0400);
	assert_int_equal(key_file_read(path, &key), OK);
	secret_free(key);
	assert_int_equal(unlink(path), 0);
	write_file(path, DIGITS "0", 0600);
	assert_int_equal(key_file_read(path, &key), ERR_CONFIG);
	write_file(path, DIGITS "\nx", 0600);
	assert_int_equal(key_file_read(path, &key), ERR_CONFIG);
	write_file(path, "0011", 0600);
	assert_int_equal(key_file_read(path, &key), ERR_CONFIG);
	write_file(path, "", 0600);
	assert_int_equal(key_file_read(path, &key), ERR_CONFIG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	snprintf(path, sizeof path, "%s/key", folder);
	assert_int_equal(key_file_create(path, &rng), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taking_wipes_the_source_and_freeing_wipes_the_secret),
		cmocka_unit_test(has_no_secret_of_no_length_or_too_long),
		cmocka_unit_test(compares_and_copies),
		cmocka_unit_test(holds_thousands_of_secrets_apart),
		cmocka_unit_test(lies_in_memory_that_no_core_dump_has),
		cmocka_unit_test(what_is_sealed_opens_only_whole_under_its_label_and_key),
		cmocka_unit_test(a_key_file_is_made_once_and_read_only_when_nobody_else_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
