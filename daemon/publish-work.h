/* publish-work.h - what the files publish*.c share while one image is published. In the job.
 *
 * publish.c has the order of the stages; publish-blobs.c gets the image's bytes to the bucket;
 * publish-deploy.c the metadata to the app, and proves that it serves. */
#ifndef DAEMON_PUBLISH_WORK_H
#define DAEMON_PUBLISH_WORK_H

#include "daemon/crane-metadata.h"
#include "daemon/crane-write.h"
#include "daemon/crew.h"
#include "daemon/login.h"
#include "daemon/observe.h"
#include "daemon/publish.h"
#include "daemon/source.h"
#include "daemon/upload.h"

/* Crane's two name spaces: an image may be in both, with a file in each. */
enum crane_kind { CRANE_V1, CRANE_V2, N_CRANE_KINDS };

/* One metadata file, as it was and as it becomes. */
struct publish_file {
	char			*name;		/* NULL: this kind is not published */
	struct buf		 before;	/* in the app as of the last look; empty: none */
	struct buf		 undo;		/* … as of before our own push */
	struct blob_id		 config;	/* in the config repo */
	struct crane_metadata	*old;		/* NULL: nothing is published yet */
	struct buf		 after;		/* empty: it is to be removed */
	struct crane_metadata	*new;
	struct crane_metadata	*own;		/* of this image alone */
};

/* An ISV's repository whose blobs may be copied from. */
struct publish_neighbour {
	char			*prefix;
	struct crane_metadata	*metadata;
};

struct publish {
	struct publish_job	*job;
	struct publish_order	*order;
	struct session		*session;
	const struct deadline	*deadline;
	struct observed		 observed;	/* app and files, as of the last look */
	struct crane_place	 place;
	char			*repository, *url, *prefix;	/* "isv1-some-app", "some-app/" */
	struct publish_file	 files[N_CRANE_KINDS];
	struct publish_neighbour *neighbours;
	size_t			 n_neighbours;

	int			 spool_fd;	/* directory */
	struct login		 login;		/* of the source's server */
	struct source		*source;
	struct image		*image;		/* the source's */
	struct crew		*crew;
	struct upload_place	 to;
};

/* A stage begins: "uploading 3 layers". */
void	 publish_tell(struct publish *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* ---- publish-blobs.c ---- */

/* From the source to an image whose manifests stand and whose masked layers are marked. */
int	 publish_read_source(struct publish *, struct error *err);
int	 publish_mask(struct publish *, struct error *err);
int	 publish_compress(struct publish *, struct error *err);
/* The bytes that the bucket has not got; then the manifests by digest. */
int	 publish_upload(struct publish *, struct error *err);
void	 publish_blobs_done(struct publish *);

/* ---- publish-deploy.c ---- */

/* Looks at app and config repo, and at what they have of this image. */
int	 publish_look(struct publish *, struct error *err);
/* The new metadata to the app, in one push to which others' are merged; and around it the tags. */
int	 publish_deploy(struct publish *, struct error *err);
/* The registry serves it. If not, what was there before is put back, and err says so. */
int	 publish_prove(struct publish *, struct error *err);
/* Takes the image's files out of the app. */
int	 publish_withdraw(struct publish *, struct error *err);
/* What the loop is to commit to the config repo, and what it tells the client. */
void	 publish_note_result(struct publish *);
void	 publish_note_image(struct publish *);
void	 publish_deploy_done(struct publish *);

#endif
