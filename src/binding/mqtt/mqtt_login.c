/* A password on its way to the broker that it is for: MQTT 3.1.1 clause 3.1.3.5. */
#include "binding/mqtt/mqtt_private.h"
#include "keys/secret_octets.h"

static bool wants_password(const struct mqtt_link *k)
{
	return k->configured && k->binding->config.user;
}

bool mqtt_login_take(struct mqtt_link *k)
{
	const struct mqtt_binding_config *c = &k->binding->config;

	mqtt_login_forget(k);
	return !wants_password(k) || (c->password(c->password_ctx, &k->password) && k->password);
}

bool mqtt_login_of(void *link, struct mqtt_login *login)
{
	const struct mqtt_link *k = link;

	if (!k->password)
		return false;
	*login = (struct mqtt_login){rd_str(k->binding->config.user), rd_of(secret_octets(k->password), secret_len(k->password))};
	return true;
}

void mqtt_login_forget(struct mqtt_link *k)
{
	secret_free(k->password);
	k->password = NULL;
}
