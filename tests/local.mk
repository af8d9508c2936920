# A unit test is tests/unit/test-MODULE.c, prints TAP, and links the daemon's library.
check_PROGRAMS += \
	tests/unit/test-buf \
	tests/unit/test-digest \
	tests/unit/test-error \
	tests/unit/test-json \
	tests/unit/test-s3-sign \
	tests/unit/test-s3-xml

EXTRA_DIST += tests/unit/test.h
