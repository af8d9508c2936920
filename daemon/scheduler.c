#include "daemon/scheduler.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/alloc.h"

TAILQ_HEAD(slot_list, slot);

/* An app or a bucket: at most one slot works on it. Lives while a slot names it. */
struct target {
	char			*name;
	unsigned int		 slots;		/* that name it */
	struct slot		*holder;	/* running */
	struct slot_list	 waiting;
};

enum queue { QUEUE_URGENT, QUEUE_FRESH, QUEUE_RETRY, N_QUEUES };

enum place { PLACE_IDLE, PLACE_HEAP, PLACE_QUEUE, PLACE_WAITING, PLACE_RUNNING };

struct slot {
	void			*owner;
	struct target		*targets[SLOT_TARGETS_MAX];
	enum place		 place;
	bool			 paused;

	/* What is to be done next, and how eagerly. */
	enum work		 wanted;
	bool			 urgent;
	int64_t			 not_before;	/* of `wanted`; the backoff's end or a time asked for */
	int64_t			 deep_due;
	unsigned int		 failures;	/* in a row */

	size_t			 heap_index;
	int64_t			 heap_key;
	enum queue		 queue;
	struct target		*waits_for;
	TAILQ_ENTRY(slot)	 entry;		/* of a queue or of a target's waiting list */
	/* New targets that came while it ran. */
	char			*next_targets[SLOT_TARGETS_MAX];
	bool			 has_next_targets;
};

struct scheduler {
	struct scheduler_options options;
	uint64_t		 random;
	void			*targets;	/* tsearch(3) tree of struct target, by name */
	struct slot		**heap;		/* min-heap of the idle slots by heap_key */
	size_t			 heap_len, heap_size;
	struct slot_list	 queues[N_QUEUES];
	size_t			 ready;
};

/* splitmix64 (Steele, Lea, Flood 2014): good enough to spread work, and repeatable. */
static uint64_t
next_random(struct scheduler *s)
{
	uint64_t z = s->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static int64_t
random_below(struct scheduler *s, int64_t limit)
{
	return limit > 0 ? (int64_t)(next_random(s) % (uint64_t)limit) : 0;
}

/* The heap. */

static void
heap_put(struct scheduler *s, size_t i, struct slot *slot)
{
	s->heap[i] = slot;
	slot->heap_index = i;
}

static void
heap_up(struct scheduler *s, size_t i)
{
	struct slot *slot = s->heap[i];

	for (; i > 0 && s->heap[(i - 1) / 2]->heap_key > slot->heap_key; i = (i - 1) / 2)
		heap_put(s, i, s->heap[(i - 1) / 2]);
	heap_put(s, i, slot);
}

static void
heap_down(struct scheduler *s, size_t i)
{
	struct slot *slot = s->heap[i];
	size_t child;

	while ((child = 2 * i + 1) < s->heap_len) {
		if (child + 1 < s->heap_len &&
		    s->heap[child + 1]->heap_key < s->heap[child]->heap_key)
			child++;
		if (s->heap[child]->heap_key >= slot->heap_key)
			break;
		heap_put(s, i, s->heap[child]);
		i = child;
	}
	heap_put(s, i, slot);
}

static void
heap_add(struct scheduler *s, struct slot *slot, int64_t key)
{
	if (s->heap_len == s->heap_size) {
		s->heap_size = s->heap_size != 0 ? s->heap_size * 2 : 64;
		s->heap = xreallocarray(s->heap, s->heap_size, sizeof(*s->heap));
	}
	slot->heap_key = key;
	s->heap[s->heap_len] = slot;
	heap_up(s, s->heap_len++);
	slot->place = PLACE_HEAP;
}

static void
heap_remove(struct scheduler *s, struct slot *slot)
{
	size_t i = slot->heap_index;
	struct slot *last = s->heap[--s->heap_len];

	slot->place = PLACE_IDLE;
	if (last == slot)
		return;
	heap_put(s, i, last);
	heap_up(s, i);
	heap_down(s, last->heap_index);
}

/* Targets. */

static int
target_compare(const void *a, const void *b)
{
	return strcmp(((const struct target *)a)->name, ((const struct target *)b)->name);
}

static struct target *
target_get(struct scheduler *s, const char *name)
{
	struct target key = { .name = (char *)name }, *t, **found;

	found = tfind(&key, &s->targets, target_compare);
	if (found != NULL) {
		(*found)->slots++;
		return *found;
	}
	t = xcalloc(1, sizeof(*t));
	t->name = xstrdup(name);
	t->slots = 1;
	TAILQ_INIT(&t->waiting);
	if (tsearch(t, &s->targets, target_compare) == NULL)
		abort();
	return t;
}

static void
target_put(struct scheduler *s, struct target *t)
{
	if (t == NULL || --t->slots > 0)
		return;
	tdelete(t, &s->targets, target_compare);
	free(t->name);
	free(t);
}

/* A target of the slot that another one holds; NULL: all are free. */
static struct target *
busy_target(const struct slot *slot)
{
	size_t i;

	for (i = 0; i < SLOT_TARGETS_MAX; i++)
		if (slot->targets[i] != NULL && slot->targets[i]->holder != NULL)
			return slot->targets[i];
	return NULL;
}

static void
hold_targets(struct slot *slot, struct slot *holder)
{
	size_t i;

	for (i = 0; i < SLOT_TARGETS_MAX; i++)
		if (slot->targets[i] != NULL)
			slot->targets[i]->holder = holder;
}

/* Where a slot stands. */

static void
take_out(struct scheduler *s, struct slot *slot)
{
	switch (slot->place) {
	case PLACE_HEAP:
		heap_remove(s, slot);
		break;
	case PLACE_QUEUE:
		TAILQ_REMOVE(&s->queues[slot->queue], slot, entry);
		s->ready--;
		break;
	case PLACE_WAITING:
		TAILQ_REMOVE(&slot->waits_for->waiting, slot, entry);
		s->ready--;
		break;
	case PLACE_IDLE:
	case PLACE_RUNNING:
		break;
	}
	slot->place = PLACE_IDLE;
}

static void
put_in_queue(struct scheduler *s, struct slot *slot)
{
	slot->queue = slot->urgent ? QUEUE_URGENT : slot->failures > 0 ? QUEUE_RETRY : QUEUE_FRESH;
	TAILQ_INSERT_TAIL(&s->queues[slot->queue], slot, entry);
	slot->place = PLACE_QUEUE;
	s->ready++;
}

/* The time at which the slot wants to run; -1: not at all. */
static int64_t
due_time(const struct slot *slot)
{
	int64_t deep = slot->deep_due;

	if (slot->wanted == WORK_NONE)
		return deep;
	if (slot->urgent || deep == -1 || slot->not_before < deep)
		return slot->not_before;
	/* While it fails, the backoff holds the regular deep check back, too. */
	return slot->failures > 0 ? slot->not_before : deep;
}

static void
place(struct scheduler *s, struct slot *slot)
{
	int64_t due = due_time(slot);

	if (slot->place == PLACE_RUNNING)
		return;
	take_out(s, slot);
	if (slot->paused || due == -1)
		return;
	if (slot->urgent)
		put_in_queue(s, slot);
	else
		heap_add(s, slot, due);
}

struct scheduler *
scheduler_new(const struct scheduler_options *options)
{
	struct scheduler *s = xcalloc(1, sizeof(*s));
	size_t i;

	s->options = *options;
	s->random = options->seed;
	for (i = 0; i < N_QUEUES; i++)
		TAILQ_INIT(&s->queues[i]);
	return s;
}

void
scheduler_free(struct scheduler *s)
{
	if (s == NULL)
		return;
	assert(s->targets == NULL);
	free(s->heap);
	free(s);
}

void
scheduler_set_options(struct scheduler *s, const struct scheduler_options *options)
{
	s->options = *options;
}

static void
set_targets_now(struct scheduler *s, struct slot *slot, const char *const *targets)
{
	struct target *old[SLOT_TARGETS_MAX];
	size_t i;

	memcpy(old, slot->targets, sizeof(old));
	for (i = 0; i < SLOT_TARGETS_MAX; i++)
		slot->targets[i] = targets[i] != NULL ? target_get(s, targets[i]) : NULL;
	for (i = 0; i < SLOT_TARGETS_MAX; i++)
		target_put(s, old[i]);
}

struct slot *
scheduler_add(struct scheduler *s, void *owner, const char *const *targets, int64_t now,
    int64_t first_deep_ms)
{
	struct slot *slot = xcalloc(1, sizeof(*slot));

	slot->owner = owner;
	slot->deep_due = now + random_below(s, first_deep_ms);
	set_targets_now(s, slot, targets);
	place(s, slot);
	return slot;
}

static void
forget_next_targets(struct slot *slot)
{
	size_t i;

	for (i = 0; i < SLOT_TARGETS_MAX; i++) {
		free(slot->next_targets[i]);
		slot->next_targets[i] = NULL;
	}
	slot->has_next_targets = false;
}

void
scheduler_remove(struct scheduler *s, struct slot *slot)
{
	size_t i;

	assert(slot->place != PLACE_RUNNING);
	take_out(s, slot);
	forget_next_targets(slot);
	for (i = 0; i < SLOT_TARGETS_MAX; i++)
		target_put(s, slot->targets[i]);
	free(slot);
}

void
scheduler_set_targets(struct scheduler *s, struct slot *slot, const char *const *targets)
{
	size_t i;

	forget_next_targets(slot);
	if (slot->place == PLACE_RUNNING) {
		for (i = 0; i < SLOT_TARGETS_MAX; i++)
			slot->next_targets[i] = xstrdup(targets[i]);
		slot->has_next_targets = true;
		return;
	}
	take_out(s, slot);
	set_targets_now(s, slot, targets);
	place(s, slot);
}

void
scheduler_request(struct scheduler *s, struct slot *slot, enum work work, bool urgent, int64_t now)
{
	if (slot->wanted < work)
		slot->wanted = work;
	slot->urgent |= urgent;
	if (urgent || slot->not_before == 0 || slot->failures == 0)
		slot->not_before = now;
	/* A queued one keeps its turn. */
	if ((slot->place == PLACE_QUEUE || slot->place == PLACE_WAITING) &&
	    (!urgent || slot->queue == QUEUE_URGENT))
		return;
	place(s, slot);
}

void
scheduler_request_at(struct scheduler *s, struct slot *slot, enum work work, int64_t at)
{
	if (slot->wanted == WORK_NONE || at < slot->not_before)
		slot->not_before = at;
	if (slot->wanted < work)
		slot->wanted = work;
	if (slot->place != PLACE_QUEUE && slot->place != PLACE_WAITING)
		place(s, slot);
}

bool
scheduler_unrequest(struct scheduler *s, struct slot *slot)
{
	bool queued = slot->place == PLACE_QUEUE || slot->place == PLACE_WAITING;

	slot->wanted = WORK_NONE;
	slot->urgent = false;
	place(s, slot);
	return queued;
}

void
scheduler_pause(struct scheduler *s, struct slot *slot, bool paused, int64_t now)
{
	slot->paused = paused;
	if (!paused && slot->deep_due != -1 && slot->deep_due < now)
		slot->deep_due = now;
	place(s, slot);
}

void
scheduler_woke(struct scheduler *s, int64_t now, int64_t spread_ms)
{
	struct slot *slot;
	size_t i;

	for (i = 0; i < s->heap_len; i++) {
		slot = s->heap[i];
		if (slot->deep_due != -1 && slot->deep_due < now)
			slot->deep_due = now + random_below(s, spread_ms);
		if (slot->wanted != WORK_NONE && slot->not_before < now)
			slot->not_before = now + random_below(s, spread_ms);
		slot->heap_key = due_time(slot);
	}
	for (i = s->heap_len / 2; i-- > 0;)
		heap_down(s, i);
}

/* Moves what fell due from the heap to the queues. */
static void
collect_due(struct scheduler *s, int64_t now)
{
	struct slot *slot;

	while (s->heap_len > 0 && (slot = s->heap[0])->heap_key <= now) {
		heap_remove(s, slot);
		put_in_queue(s, slot);
	}
}

static enum work
work_of(const struct slot *slot, int64_t now)
{
	if (slot->wanted == WORK_DEEP || (slot->deep_due != -1 && slot->deep_due <= now))
		return WORK_DEEP;
	return slot->wanted;
}

static void *
start(struct slot *slot, int64_t now, enum work *out)
{
	*out = work_of(slot, now);
	slot->place = PLACE_RUNNING;
	slot->wanted = WORK_NONE;
	slot->urgent = false;
	hold_targets(slot, slot);
	return slot->owner;
}

void *
scheduler_next(struct scheduler *s, int64_t now, enum work *out)
{
	struct target *busy;
	struct slot *slot;
	size_t i;

	collect_due(s, now);
	for (i = 0; i < N_QUEUES; i++) {
		while ((slot = TAILQ_FIRST(&s->queues[i])) != NULL) {
			TAILQ_REMOVE(&s->queues[i], slot, entry);
			if ((busy = busy_target(slot)) == NULL) {
				s->ready--;
				return start(slot, now, out);
			}
			slot->place = PLACE_WAITING;
			slot->waits_for = busy;
			TAILQ_INSERT_TAIL(&busy->waiting, slot, entry);
		}
	}
	return NULL;
}

/* Who waited for a target of this slot goes to the front of its queue, in order. */
static void
wake_waiting(struct scheduler *s, struct slot *slot)
{
	struct slot *other;
	size_t i;

	for (i = SLOT_TARGETS_MAX; i-- > 0;) {
		struct target *t = slot->targets[i];

		while (t != NULL && (other = TAILQ_LAST(&t->waiting, slot_list)) != NULL) {
			TAILQ_REMOVE(&t->waiting, other, entry);
			TAILQ_INSERT_HEAD(&s->queues[other->queue], other, entry);
			other->place = PLACE_QUEUE;
		}
	}
}

static int64_t
backoff(struct scheduler *s, unsigned int failures)
{
	int64_t ms = s->options.backoff_min_ms;

	while (--failures > 0 && ms < s->options.backoff_max_ms)
		ms *= 2;
	if (ms > s->options.backoff_max_ms)
		ms = s->options.backoff_max_ms;
	return ms / 2 + random_below(s, ms / 2 + 1);
}

void
scheduler_done(struct scheduler *s, struct slot *slot, enum work done, bool ok, int64_t now)
{
	assert(slot->place == PLACE_RUNNING);
	slot->place = PLACE_IDLE;
	hold_targets(slot, NULL);
	wake_waiting(s, slot);
	if (slot->has_next_targets) {
		set_targets_now(s, slot, (const char *const *)slot->next_targets);
		forget_next_targets(slot);
	}
	if (done == WORK_DEEP)
		slot->deep_due = now + s->options.deep_interval_ms -
		    random_below(s, s->options.deep_interval_ms / 8);
	if (ok) {
		slot->failures = 0;
	} else {
		int64_t again = now + backoff(s, ++slot->failures);

		if (!slot->urgent)
			slot->not_before = again;
		if (slot->wanted < done)
			slot->wanted = done;
	}
	place(s, slot);
}

int64_t
scheduler_wakeup(const struct scheduler *s)
{
	return s->heap_len > 0 ? s->heap[0]->heap_key : -1;
}

size_t
scheduler_ready(const struct scheduler *s)
{
	return s->ready;
}

unsigned int
slot_failures(const struct slot *slot)
{
	return slot->failures;
}

int64_t
slot_due(const struct slot *slot)
{
	return slot->paused ? -1 : due_time(slot);
}

bool
slot_running(const struct slot *slot)
{
	return slot->place == PLACE_RUNNING;
}
