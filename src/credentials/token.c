/* PKCS#11 over p11-kit: one module by the URI's module-path, or all that the system has configured. */
#include "credentials/token.h"

#include <fcntl.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

#define PIN_MAX 256
#define SLOTS_MAX 64
#define LABEL_MAX 128
#define KEK_OCTETS 32

struct token {
	CK_FUNCTION_LIST *modules[2], **list; /* list is `modules`, or p11-kit's own */
	CK_FUNCTION_LIST *module;             /* the token's */
	bool all;                             /* list came from p11_kit_modules_load_and_initialize */
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	char label[LABEL_MAX]; /* the URI's object: what a person sees in the token */
};

/* ---- finding the token ---- */

static enum err load(struct token *t, P11KitUri *uri)
{
	const char *path = p11_kit_uri_get_module_path(uri);

	if (!path) {
		t->all = true;
		t->list = p11_kit_modules_load_and_initialize(0);
		return t->list ? OK : ERR_CONFIG;
	}
	t->list = t->modules;
	t->modules[0] = p11_kit_module_load(path, P11_KIT_MODULE_CRITICAL);
	if (!t->modules[0])
		return ERR_CONFIG;
	if (p11_kit_module_initialize(t->modules[0]) == CKR_OK)
		return OK;
	p11_kit_module_release(t->modules[0]);
	t->modules[0] = NULL;
	return ERR_CONFIG;
}

static bool slot_find(struct token *t, P11KitUri *uri, CK_FUNCTION_LIST *module, CK_SLOT_ID *slot)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG n = SLOTS_MAX;

	if (module->C_GetSlotList(CK_TRUE, slots, &n) != CKR_OK)
		return false;
	for (CK_ULONG i = 0; i < n; i++) {
		CK_TOKEN_INFO info;

		if (module->C_GetTokenInfo(slots[i], &info) != CKR_OK || !p11_kit_uri_match_token_info(uri, &info) || !(info.flags & CKF_TOKEN_INITIALIZED))
			continue;
		t->module = module;
		*slot = slots[i];
		return true;
	}
	return false;
}

/* The PIN is in a file that its owner alone may read: the URI itself may be seen in a configuration or a list. */
static bool pin_read(P11KitUri *uri, char pin[static PIN_MAX])
{
	const char *path = p11_kit_uri_get_pin_source(uri);
	struct stat st;
	ssize_t n = -1;
	int fd;

	if (!path)
		return false;
	if (strncmp(path, "file:", 5) == 0)
		path += 5;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && (st.st_mode & 077) == 0)
		n = read(fd, pin, PIN_MAX - 1);
	close(fd);
	if (n <= 0)
		return false;
	pin[n] = '\0';
	pin[strcspn(pin, "\r\n")] = '\0';
	return true;
}

static enum err log_in(struct token *t, P11KitUri *uri, CK_SLOT_ID slot, const char **detail)
{
	char pin[PIN_MAX];
	CK_RV r;

	*detail = "the token refuses a session";
	if (t->module->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &t->session) != CKR_OK)
		return ERR_CONFIG;
	*detail = "pin-source of the token's URI can't be read: it must be a file that its owner alone may read (chmod 600)";
	if (!pin_read(uri, pin))
		return ERR_CONFIG;
	r = t->module->C_Login(t->session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
	bytes_wipe(pin, sizeof pin);
	*detail = "the token does not take the PIN";
	return r == CKR_OK || r == CKR_USER_ALREADY_LOGGED_IN ? OK : ERR_CONFIG;
}

static void label_of(P11KitUri *uri, char label[static LABEL_MAX])
{
	const CK_ATTRIBUTE *a = p11_kit_uri_get_attribute(uri, CKA_LABEL);

	if (!a || !rd_text(rd_of(a->pValue, a->ulValueLen), label, LABEL_MAX))
		snprintf(label, LABEL_MAX, "keyway");
}

static enum err start(struct token *t, P11KitUri *uri, const char **detail)
{
	CK_SLOT_ID slot = 0;
	bool found = false;
	enum err e;

	*detail = "the PKCS#11 module can't be loaded";
	e = load(t, uri);
	if (e != OK)
		return e;
	label_of(uri, t->label);
	for (CK_FUNCTION_LIST **m = t->list; !found && *m; m++)
		found = slot_find(t, uri, *m, &slot);
	*detail = "there is no such token";
	return found ? log_in(t, uri, slot, detail) : ERR_CONFIG;
}

enum err token_open(const char *text, struct token **out, const char **detail)
{
	struct token *t = calloc(1, sizeof *t);
	P11KitUri *uri = p11_kit_uri_new();
	enum err e = ERR_NO_MEMORY;

	*detail = "";
	if (t && uri) {
		*detail = "the token's URI is malformed (RFC 7512)";
		e = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri) == P11_KIT_URI_OK ? start(t, uri, detail) : ERR_CONFIG;
	}
	if (uri)
		p11_kit_uri_free(uri);
	if (e != OK) {
		token_close(t);
		return e;
	}
	*out = t;
	return OK;
}

void token_close(struct token *t)
{
	if (!t)
		return;
	if (t->session)
		t->module->C_CloseSession(t->session);
	if (t->all && t->list) {
		p11_kit_modules_finalize_and_release(t->list);
	} else if (t->modules[0]) {
		p11_kit_module_finalize(t->modules[0]);
		p11_kit_module_release(t->modules[0]);
	}
	free(t);
}

/* ---- keys ---- */

static CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, void *value, size_t size)
{
	CK_ATTRIBUTE a = {type, value, size};

	return a;
}

static enum err find(struct token *t, struct rd id, CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	uint8_t octets[32];
	struct rd copy = id;
	CK_ATTRIBUTE wanted[] = {attribute(CKA_CLASS, &class, sizeof class), attribute(CKA_ID, octets, id.left)};
	CK_ULONG n = 0;

	if (id.left > sizeof octets || !rd_copy(&copy, octets, id.left))
		return ERR_BAD_VALUE;
	if (t->module->C_FindObjectsInit(t->session, wanted, 2) != CKR_OK)
		return ERR_IO;
	if (t->module->C_FindObjects(t->session, key, 1, &n) != CKR_OK)
		n = 0;
	t->module->C_FindObjectsFinal(t->session);
	return n == 1 ? OK : ERR_NOT_FOUND;
}

enum err token_generate(struct token *t, struct rd id)
{
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ULONG length = KEK_OCTETS;
	uint8_t octets[32];
	struct rd copy = id;
	CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE a[] = {
		attribute(CKA_TOKEN, &yes, sizeof yes),
		attribute(CKA_PRIVATE, &yes, sizeof yes),
		attribute(CKA_SENSITIVE, &yes, sizeof yes),
		attribute(CKA_EXTRACTABLE, &no, sizeof no),
		attribute(CKA_WRAP, &yes, sizeof yes),
		attribute(CKA_UNWRAP, &yes, sizeof yes),
		attribute(CKA_ENCRYPT, &no, sizeof no), /* otherwise a wrapped key could be decrypted as data */
		attribute(CKA_DECRYPT, &no, sizeof no),
		attribute(CKA_VALUE_LEN, &length, sizeof length),
		attribute(CKA_ID, octets, id.left),
		attribute(CKA_LABEL, t->label, strlen(t->label)),
	};
	CK_OBJECT_HANDLE there;

	if (id.left > sizeof octets || !rd_copy(&copy, octets, id.left))
		return ERR_BAD_VALUE;
	if (find(t, id, &there) == OK)
		return ERR_EXISTS;
	return t->module->C_GenerateKey(t->session, &mechanism, a, sizeof a / sizeof a[0], &t->key) == CKR_OK ? OK : ERR_CRYPTO;
}

enum err token_select(struct token *t, struct rd id)
{
	return find(t, id, &t->key);
}

enum err token_destroy(struct token *t, struct rd id)
{
	CK_OBJECT_HANDLE key;
	enum err e = find(t, id, &key);

	if (e != OK)
		return e;
	return t->module->C_DestroyObject(t->session, key) == CKR_OK ? OK : ERR_IO;
}

/* ---- wrapping ---- */

enum err token_wrap(struct token *t, const struct secret *data_key, struct wr *wrapped)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP, NULL, 0};
	uint8_t plain[SECRET_MAX], out[SECRET_MAX + 16];
	struct rd octets = rd_of(secret_octets(data_key), secret_len(data_key));
	CK_ULONG n = sizeof out;
	CK_ATTRIBUTE a[] = {
		attribute(CKA_CLASS, &class, sizeof class),
		attribute(CKA_KEY_TYPE, &type, sizeof type),
		attribute(CKA_TOKEN, &no, sizeof no), /* gone with the session */
		attribute(CKA_EXTRACTABLE, &yes, sizeof yes),
		attribute(CKA_VALUE, plain, octets.left),
	};
	CK_OBJECT_HANDLE object;
	CK_RV r = CKR_GENERAL_ERROR;

	if (!rd_copy(&octets, plain, octets.left))
		return ERR_TOO_LONG;
	r = t->module->C_CreateObject(t->session, a, sizeof a / sizeof a[0], &object);
	bytes_wipe(plain, sizeof plain);
	if (r != CKR_OK)
		return ERR_CRYPTO;
	r = t->module->C_WrapKey(t->session, &mechanism, t->key, object, out, &n);
	t->module->C_DestroyObject(t->session, object);
	if (r != CKR_OK)
		return ERR_CRYPTO;
	wr_copy(wrapped, out, n);
	return wrapped->spoilt ? ERR_TOO_LONG : OK;
}

enum err token_unwrap(struct token *t, struct rd wrapped, size_t len, struct secret **data_key)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP, NULL, 0};
	uint8_t in[SECRET_MAX + 16], plain[SECRET_MAX];
	size_t n = wrapped.left;
	CK_ATTRIBUTE a[] = {
		attribute(CKA_CLASS, &class, sizeof class),
		attribute(CKA_KEY_TYPE, &type, sizeof type),
		attribute(CKA_TOKEN, &no, sizeof no),
		attribute(CKA_SENSITIVE, &no, sizeof no),
		attribute(CKA_EXTRACTABLE, &yes, sizeof yes),
	};
	CK_ATTRIBUTE value = attribute(CKA_VALUE, plain, sizeof plain);
	CK_OBJECT_HANDLE object;
	enum err e = ERR_CRYPTO;

	if (n > sizeof in || !rd_copy(&wrapped, in, n))
		return ERR_MALFORMED;
	if (t->module->C_UnwrapKey(t->session, &mechanism, t->key, in, n, a, sizeof a / sizeof a[0], &object) != CKR_OK)
		return ERR_BAD_MIC;
	if (t->module->C_GetAttributeValue(t->session, object, &value, 1) == CKR_OK && value.ulValueLen == len) {
		*data_key = secret_take(plain, len);
		e = *data_key ? OK : ERR_NO_MEMORY;
	}
	bytes_wipe(plain, sizeof plain);
	t->module->C_DestroyObject(t->session, object);
	return e;
}
