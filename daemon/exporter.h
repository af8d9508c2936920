/* exporter.h - the metrics to whoever asks for them, and into a file for node_exporter.
 *
 * Owns a thread of its own, so that the text of thousands of ISVs is made beside the loop, and also
 * while every other thread is stuck. Loop thread only. */
#ifndef DAEMON_EXPORTER_H
#define DAEMON_EXPORTER_H

#include "common/buf.h"
#include "common/error.h"

struct daemon;
struct exporter;

/* With metrics.textfile set it also writes that, every metrics.interval. */
struct exporter *exporter_new(struct daemon *);
void	 exporter_free(struct exporter *);		/* who waits is answered; NULL is fine */
/* The settings are others. */
void	 exporter_reload(struct exporter *);

/* Makes the text in OpenMetrics. `done` comes later, on the loop; text NULL: raasd ends. */
void	 exporter_ask(struct exporter *, void (*done)(void *arg, struct buf *text), void *arg);

#endif
