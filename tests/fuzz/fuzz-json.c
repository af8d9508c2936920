/* json_each() sees in a text what json_read() sees in it, element by element. */
#include <stdint.h>
#include <stdlib.h>

#include "common/json.h"

enum { DEPTH = 32 };

struct walk {
	json_t	*array;		/* borrowed */
	size_t	 seen;
};

static int
compare(void *arg, json_t *element, struct error *err)
{
	struct walk *walk = arg;

	(void)err;
	if (walk->array != NULL && !json_equal(element, json_array_get(walk->array, walk->seen)))
		abort();
	walk->seen++;
	return 0;
}

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT, each_err = ERROR_INIT;
	cleanup(json_unref) json_t *whole = json_read((const char *)data, size, DEPTH, &err);
	json_t *array = json_object_get(whole, "data");
	struct walk walk = { .array = json_is_array(array) ? array : NULL };
	int result = json_each((const char *)data, size, "data", compare, &walk, &each_err);

	if (whole == NULL)
		return 0;
	if (json_depth((const char *)data, size, DEPTH + 1) > DEPTH)
		abort();
	if ((result == 0) != (json_is_object(whole) &&
	    (array == NULL || json_is_null(array) || json_is_array(array))))
		abort();
	if (result == 0 && walk.seen != json_array_size(walk.array))
		abort();
	return 0;
}
