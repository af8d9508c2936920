# The manual pages, in mdoc; tests/system/030-pages holds them against the tables in the code.
dist_man_MANS = \
	man/raas-control.7 \
	man/raas-crane.8 \
	man/raas.cfg.5 \
	man/raasctl.1 \
	man/raasd.8 \
	man/raasd.yaml.5
