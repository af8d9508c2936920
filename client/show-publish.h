/* show-publish.h - how an image gets to its registry, as text: a bar for each layer on its way. */
#ifndef CLIENT_SHOW_PUBLISH_H
#define CLIENT_SHOW_PUBLISH_H

#include "client/show.h"

void	 show_publish(struct show *, const json_t *reply, bool last);
void	 show_images(struct show *, const json_t *reply, bool last);
void	 show_unpublish(struct show *, const json_t *reply, bool last);

#endif
