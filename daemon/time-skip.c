#include "daemon/time-skip.h"

/* Below that it is somebody who adjusts a clock. */
#define SLACK_S 5

int64_t
time_skip_look(struct time_skip *s, time_t wall, int64_t awake_ms)
{
	int64_t by_s = (int64_t)(wall - s->wall) - (awake_ms - s->awake_ms) / 1000;

	if (s->wall == 0)
		by_s = 0;
	s->wall = wall;
	s->awake_ms = awake_ms;
	if (by_s > SLACK_S) {
		s->at = wall;
		s->by_s = by_s;
	}
	if (by_s >= -SLACK_S)
		return 0;
	/* Behind where it skipped to: that skip is undone. */
	if (s->at > wall)
		s->at = 0;
	return -by_s;
}

void
time_skip_move(const struct time_skip *s, time_t *t, int64_t back_s)
{
	if (*t > s->wall)
		*t -= (time_t)back_s;
}

int64_t
time_skip_age_s(const struct time_skip *s, time_t since, time_t now)
{
	int64_t age_s = (int64_t)(now - since);

	if (since < s->at)
		age_s -= s->by_s;
	return age_s > 0 ? age_s : 0;
}
