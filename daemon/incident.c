#include "daemon/incident.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "daemon/deadline.h"
#include "daemon/log.h"

static void
begin(struct incident *incident, const char *text, size_t isvs)
{
	struct log_about about = { .resource = incident->what,
	    .message_id = event_table[incident->began != EVENT_NONE ? incident->began
	    : EVENT_INCIDENT_BEGAN].id };
	char count[48] = "";

	incident->since = time(NULL);
	incident->began_ms = clock_monotonic_ms();
	incident->isvs = isvs;
	if (isvs > 0)
		snprintf(count, sizeof(count), " (concerns %zu ISV%s)", isvs, isvs == 1 ? "" : "s");
	log_warning(&about, "%s: %s%s", incident->what, text, count);
}

void
incident_end(struct incident *incident, const char *rest)
{
	struct log_about about = { .resource = incident->what,
	    .message_id = event_table[EVENT_INCIDENT_ENDED].id };
	int64_t lasted_ms = clock_monotonic_ms() - incident->began_ms;
	char count[48] = "";

	if (incident->text == NULL)
		return;
	if (incident->isvs > 0)
		snprintf(count, sizeof(count), "; it concerned %zu ISV%s", incident->isvs,
		    incident->isvs == 1 ? "" : "s");
	log_info(&about, "%s: works again after %lld s%s%s", incident->what,
	    (long long)(lasted_ms / 1000), count, rest);
	free(incident->text);
	incident->text = NULL;
	incident->ended_ms = clock_monotonic_ms();
}

void
incident_set_isvs(struct incident *incident, const char *text, size_t isvs)
{
	struct log_about about = { .resource = incident->what };
	char *old = incident->text;

	if (text == NULL) {
		incident_end(incident, "");
		return;
	}
	if (old == NULL)
		begin(incident, text, isvs);
	else if (strcmp(old, text) != 0)
		log_debug(&about, "%s: %s", incident->what, text);
	if (isvs > incident->isvs)
		incident->isvs = isvs;
	incident->text = xstrdup(text);
	free(old);
}

void
incident_set(struct incident *incident, const char *text)
{
	incident_set_isvs(incident, text, 0);
}

void
incident_done(struct incident *incident)
{
	free(incident->text);
	incident->text = NULL;
}
