# What systemd reads; tests/system/51* hold it against the real one.
FILLED_IN = systemd/raasd.service \
	systemd/raasd@.service
systemdsystemunit_DATA = $(FILLED_IN)
dist_systemdsystemunit_DATA = systemd/raasd.socket \
	systemd/raasd@.socket
sysusersdir = $(prefix)/lib/sysusers.d
dist_sysusers_DATA = systemd/sysusers.d/raasd.conf
tmpfilesdir = $(prefix)/lib/tmpfiles.d
dist_tmpfiles_DATA = systemd/tmpfiles.d/raasd.conf
monitoringdir = $(datadir)/raas/monitoring
dist_monitoring_DATA = systemd/monitoring/grafana-dashboard.json \
	systemd/monitoring/raas.rules.yml
EXTRA_DIST += systemd/raasd.service.in \
	systemd/raasd@.service.in
CLEANFILES += $(FILLED_IN)

FILL_IN = $(AM_V_GEN)$(MKDIR_P) systemd && sed -e 's,[@]sbindir[@],$(sbindir),g'

systemd/raasd.service: systemd/raasd.service.in Makefile
	$(FILL_IN) $(srcdir)/systemd/raasd.service.in >$@.tmp && mv $@.tmp $@

systemd/raasd@.service: systemd/raasd@.service.in Makefile
	$(FILL_IN) $(srcdir)/systemd/raasd@.service.in >$@.tmp && mv $@.tmp $@
