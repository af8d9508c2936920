#include "daemon/nearest.h"

#include <string.h>

#define WORD_MAX 40

static unsigned int
least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Damerau and Levenshtein's distance, of neighbours swapped at most once. */
static unsigned int
distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	unsigned int d[WORD_MAX + 1][WORD_MAX + 1], changed;
	size_t i, j;

	for (i = 0; i <= n_a; i++)
		d[i][0] = (unsigned int)i;
	for (j = 0; j <= n_b; j++)
		d[0][j] = (unsigned int)j;
	for (i = 1; i <= n_a; i++) {
		for (j = 1; j <= n_b; j++) {
			changed = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			d[i][j] = least(changed, least(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[n_a][n_b];
}

void
nearest_offer(struct nearest *best, const char *typed, const char *known)
{
	size_t n_typed = strlen(typed), n_known = strlen(known);
	unsigned int d;

	if (n_typed > WORD_MAX || n_known > WORD_MAX)
		return;
	d = distance(typed, n_typed, known, n_known);
	if (d > n_known / 3 + 1 || d >= n_known)
		return;
	if (best->word == NULL || d < best->distance)
		*best = (struct nearest){ known, d };
}
