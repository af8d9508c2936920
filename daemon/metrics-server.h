/* metrics-server.h - the metrics by HTTP, on a loopback address, for Prometheus.
 *
 * Whoever is on the host may ask, so all of it is bounded: how many ask at a time, how long one may
 * take, what a request may be. One answer a connection. Loop thread only. */
#ifndef DAEMON_METRICS_SERVER_H
#define DAEMON_METRICS_SERVER_H

#include <event2/event.h>

#include "daemon/exporter.h"
#include "daemon/incident.h"

struct metrics_server;

/* At a loopback_parse() address. Listens, and tries again while it cannot: the incident tells. What is lent lives as long as it. */
struct metrics_server *metrics_server_new(struct event_base *, struct exporter *,
	    const char *address, struct incident *);
/* Before the exporter; NULL is fine. */
void	 metrics_server_free(struct metrics_server *);

#endif
