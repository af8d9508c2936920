/* cleanup.h - release a variable when its scope ends.
 *
 *	cleanup(buf_done) struct buf body = BUF_INIT;
 *	cleanup(free_p) char *path = NULL;
 *
 * The named function takes a pointer to the variable. For a plain `thing_free(struct thing *)`
 * CLEANUP_FUNC(struct thing, thing_free) defines `thing_free_p` to be named here. */
#ifndef COMMON_CLEANUP_H
#define COMMON_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define cleanup(fn) __attribute__((__cleanup__(fn)))

#define CLEANUP_FUNC(type, fn)						\
	static inline void						\
	fn##_p(type **p)						\
	{								\
		fn(*p);							\
	}								\
	struct cleanup_func_swallows_the_semicolon

/* Move a value out of a cleanup variable, so that its new owner alone releases it. */
#define steal(p) __extension__({					\
	__typeof__(p) stolen_ = (p);					\
	(p) = NULL;							\
	stolen_;							\
})

static inline void
free_p(void *p)
{
	free(*(void **)p);
}

static inline void
close_p(int *fd)
{
	if (*fd != -1)
		close(*fd);
}

#endif
