#include "daemon/notify.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "daemon/daemon.h"
#include "daemon/watchdog.h"

#define STATUS_MAX 400		/* bytes; systemctl shows one line */

struct notify {
	bool	 wanted;	/* by systemd */
	char	*status;	/* the last; NULL: none */
};

struct notify *
notify_new(void)
{
	struct notify *n = xcalloc(1, sizeof(*n));

	n->wanted = getenv("NOTIFY_SOCKET") != NULL;
	return n;
}

void
notify_free(struct notify *n)
{
	if (n == NULL)
		return;
	free(n->status);
	free(n);
}

void
notify_ready(struct notify *n)
{
	(void)n;
	sd_notify(0, "READY=1");
}

/* Which reload it is: the time on CLOCK_MONOTONIC, by which systemd counts. */
void
notify_reloading(struct notify *n)
{
	struct timespec ts;

	(void)n;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

void
notify_stopping(struct notify *n)
{
	(void)n;
	sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

static void
add_phases(struct buf *b, const struct daemon *d)
{
	size_t counts[N_PHASES], i;
	const char *between = ": ";

	daemon_count_phases(d, counts);
	buf_printf(b, "%zu ISV%s", d->n_registries, d->n_registries == 1 ? "" : "s");
	for (i = 0; i < N_PHASES; i++) {
		if (counts[i] == 0)
			continue;
		buf_printf(b, "%s%zu %s", between, counts[i], phase_name((enum phase)i));
		between = ", ";
	}
}

/* Coarse, so that the line is not another one each second. */
static void
add_pull(struct buf *b, const struct daemon *d)
{
	long long age_s = (long long)time_skip_age_s(&d->skip, d->last_pull, time(NULL));

	if (d->last_pull == 0)
		buf_printf(b, "; not pulled yet");
	else if (age_s < 60)
		buf_printf(b, "; pulled just now");
	else if (age_s < 2 * 60 * 60)
		buf_printf(b, "; pulled %lld min ago", age_s / 60);
	else
		buf_printf(b, "; pulled %lld h ago", age_s / (60 * 60));
	if (d->config_repo.text != NULL)
		buf_printf(b, ", and now it fails: %s", d->config_repo.text);
}

static void
add_stuck(struct buf *b, const struct daemon *d)
{
	struct stuck stuck;
	char text[160];

	if (!watchdog_stuck(d, &stuck))
		return;
	stuck_format(&stuck, text, sizeof(text));
	buf_printf(b, "%s; ", text);
}

void
notify_status(struct notify *n, const struct daemon *d)
{
	cleanup(buf_done) struct buf b = BUF_INIT;

	if (n == NULL || !n->wanted)
		return;
	add_stuck(&b, d);
	add_phases(&b, d);
	buf_printf(&b, "; jobs: %u running, %zu queued", d->running, scheduler_ready(d->scheduler));
	add_pull(&b, d);
	if (n->status != NULL && strcmp(n->status, buf_str(&b)) == 0)
		return;
	free(n->status);
	n->status = xstrdup(buf_str(&b));
	sd_notifyf(0, "STATUS=%.*s", STATUS_MAX, n->status);
}
