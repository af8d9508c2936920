# raasctl: links common and jansson, nothing of the daemon. libraasctl is all of it but its main,
# so that tests can link it.
noinst_LIBRARIES += libraasctl.a
libraasctl_a_SOURCES = \
	client/arguments.c client/arguments.h \
	client/call.c client/call.h \
	client/complete.c client/complete.h \
	client/help.c client/help.h \
	client/outcome.c client/outcome.h \
	client/patience.c client/patience.h \
	client/render.c client/render.h \
	client/show-gc.c client/show-gc.h \
	client/show-publish.c client/show-publish.h \
	client/show-setup.c client/show-setup.h \
	client/show-teardown.c client/show-teardown.h \
	client/show.c client/show.h \
	client/time-limit.c client/time-limit.h \
	client/watch.c client/watch.h

bin_PROGRAMS += raasctl
raasctl_SOURCES = client/raasctl.c
raasctl_LDADD = libraasctl.a libcommon.a $(JANSSON_LIBS)

# Where bash-completion and zsh look. Debian's zsh has another place for packages than for /usr/local.
bashcompletiondir = $(datadir)/bash-completion/completions
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = client/completion/_raasctl
EXTRA_DIST += client/completion/raasctl.bash
# bash-completion finds it by the command's name.
install-data-hook:
	$(MKDIR_P) "$(DESTDIR)$(bashcompletiondir)"
	$(INSTALL_DATA) $(srcdir)/client/completion/raasctl.bash \
	    "$(DESTDIR)$(bashcompletiondir)/raasctl"
uninstall-hook:
	rm -f "$(DESTDIR)$(bashcompletiondir)/raasctl"
