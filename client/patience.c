#include "client/patience.h"

#include <unistd.h>

#include "client/outcome.h"
#include "client/time-limit.h"
#include "common/rfc3339.h"

#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 2000
#define GRACE_S 10	/* for raasd to say itself that the time is over */

static int64_t
monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
patience_init(struct patience *p, const char *until, time_t now)
{
	int64_t end, left;

	*p = (struct patience){ .end_ms = -1, .pause_ms = PAUSE_MIN_MS };
	if (until == NULL || !rfc3339_parse(until, &end))
		return;
	left = end > (int64_t)now ? end - (int64_t)now : 0;
	p->end_ms = monotonic_ms() + left * 1000;
	time_limit((unsigned int)(left < INT32_MAX - GRACE_S ? left + GRACE_S : INT32_MAX),
	    STDERR_FILENO, "raasctl: no answer from raasd in time\n", OUTCOME_NO_DAEMON);
}

bool
patience_pause(struct patience *p)
{
	int64_t pause = p->pause_ms, left = p->end_ms - monotonic_ms();
	struct timespec ts;

	if (p->end_ms != -1 && left <= 0)
		return false;
	if (p->end_ms != -1 && left < pause)
		pause = left;
	ts = (struct timespec){ .tv_sec = pause / 1000, .tv_nsec = pause % 1000 * 1000000 };
	nanosleep(&ts, NULL);
	p->pause_ms = p->pause_ms * 2 < PAUSE_MAX_MS ? p->pause_ms * 2 : PAUSE_MAX_MS;
	return true;
}
