/* Messages out of inputs. */
#include "message.h"

#include <string.h>
#include <strings.h>

void message_of(struct rd *in, struct message *m)
{
	struct rd line, name;
	const uint8_t *body;

	memset(m, 0, sizeof *m);
	m->first = rd_line(in, &line) ? rd_strdup(line) : strdup("");
	while (rd_line(in, &line) && line.left > 0) {
		/* HTTP carries no control characters */
		if (m->count == MESSAGE_HEADERS || rd_has_control(line) || !rd_until(&line, ':', &name))
			continue;
		if (rd_starts(line, " "))
			MUST(rd_skip(&line, 1));
		m->names[m->count] = rd_strdup(name);
		m->values[m->count++] = rd_strdup(line);
	}
	body = in->at;
	m->body = rd_of(body, in->left);
	while (rd_line(in, &line)) {
		if (rd_is(line, "---")) {
			m->body.left = (size_t)(line.at - body);
			break;
		}
	}
}

void message_clear(struct message *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->names[i]);
		free(m->values[i]);
	}
	free(m->first);
}

const char *message_header(const struct message *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (strcasecmp(m->names[i], name) == 0)
			return m->values[i];
	return NULL;
}
