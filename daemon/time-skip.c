#include "daemon/time-skip.h"

/* Below that it is somebody who adjusts a clock. */
#define SLACK_S 5

void
time_skip_look(struct time_skip *s, time_t wall, int64_t awake_ms)
{
	int64_t by_s = (int64_t)(wall - s->wall) - (awake_ms - s->awake_ms) / 1000;

	if (s->wall != 0 && by_s > SLACK_S) {
		s->at = wall;
		s->by_s = by_s;
	}
	s->wall = wall;
	s->awake_ms = awake_ms;
}

int64_t
time_skip_age_s(const struct time_skip *s, time_t since, time_t now)
{
	int64_t age_s = (int64_t)(now - since);

	if (since < s->at)
		age_s -= s->by_s;
	return age_s > 0 ? age_s : 0;
}
