#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "tests/sandbox/s3.h"
#include "tests/sandbox/xml.h"

#define ALL_USERS "http://acs.amazonaws.com/groups/global/AllUsers"
#define XSI " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""

/* -- policy -- */

void
s3_get_policy(struct s3_call *c)
{
	if (!s3_permit(c, "s3:GetBucketPolicy"))
		return;
	if (c->bucket->policy == NULL)
		s3_error(c, 404, "NoSuchBucketPolicy", "The bucket policy does not exist", NULL);
	else
		reply_text(c->answer, 200, "application/json", c->bucket->policy);
}

void
s3_put_policy(struct s3_call *c)
{
	cleanup(free_p) char *policy = xstrndup(c->request->body, c->request->body_len);

	if (!s3_permit(c, "s3:PutBucketPolicy"))
		return;
	if (!policy_is_valid(policy, c->bucket->name)) {
		s3_error(c, 400, "MalformedPolicy", "Policies must be valid JSON, and their "
		    "resources must be this bucket's", NULL);
		return;
	}
	if (policy_is_public(policy) && (c->bucket->block.block_policy || c->s3->account_block)) {
		s3_error(c, 403, "AccessDenied", "User is not authorized to perform: "
		    "s3:PutBucketPolicy because public policies are blocked by the "
		    "BlockPublicPolicy block public access setting.", NULL);
		return;
	}
	free(c->bucket->policy);
	c->bucket->policy = steal(policy);
	c->answer->status = 204;
}

void
s3_delete_policy(struct s3_call *c)
{
	if (!s3_permit(c, "s3:DeleteBucketPolicy"))
		return;
	free(c->bucket->policy);
	c->bucket->policy = NULL;
	c->answer->status = 204;
}

void
s3_get_policy_status(struct s3_call *c)
{
	cleanup(buf_done) struct buf xml = BUF_INIT;

	if (!s3_permit(c, "s3:GetBucketPolicyStatus"))
		return;
	if (c->bucket->policy == NULL) {
		s3_error(c, 404, "NoSuchBucketPolicy", "The bucket policy does not exist", NULL);
		return;
	}
	xml_element(&xml, "IsPublic", policy_is_public(c->bucket->policy) &&
	    !c->bucket->block.restrict_buckets ? "true" : "false");
	s3_xml(c, 200, "PolicyStatus", &xml);
}

/* -- access control lists -- */

/* The object that the call names; NULL: answered. */
static struct object *
object_of(struct s3_call *c)
{
	struct object *object = table_get(&c->bucket->objects, c->key);

	if (object == NULL)
		s3_error(c, 404, "NoSuchKey", "The specified key does not exist.", NULL);
	return object;
}

void
s3_get_acl(struct s3_call *c)
{
	cleanup(buf_done) struct buf xml = BUF_INIT;
	const struct object *object = NULL;

	if (!s3_permit(c, c->key != NULL ? "s3:GetObjectAcl" : "s3:GetBucketAcl") ||
	    (c->key != NULL && (object = object_of(c)) == NULL))
		return;
	buf_add_str(&xml, "<Owner><ID>" S3_OWNER "</ID></Owner><AccessControlList><Grant><Grantee"
	    XSI " xsi:type=\"CanonicalUser\"><ID>" S3_OWNER "</ID></Grantee><Permission>"
	    "FULL_CONTROL</Permission></Grant>");
	if (object != NULL ? object->is_public : c->bucket->is_public)
		buf_add_str(&xml, "<Grant><Grantee" XSI " xsi:type=\"Group\"><URI>" ALL_USERS
		    "</URI></Grantee><Permission>READ</Permission></Grant>");
	buf_add_str(&xml, "</AccessControlList>");
	s3_xml(c, 200, "AccessControlPolicy", &xml);
}

/* Does the list in the body let everybody read? */
static bool
body_is_public(const struct request *r)
{
	struct xml_part rest = { r->body, r->body_len }, grant;

	while (xml_find(rest, "Grant", &grant, &rest)) {
		cleanup(free_p) char *who = xml_text_of(grant, "URI");
		cleanup(free_p) char *what = xml_text_of(grant, "Permission");

		if (who != NULL && what != NULL && strcmp(who, ALL_USERS) == 0 &&
		    (strcmp(what, "READ") == 0 || strcmp(what, "FULL_CONTROL") == 0))
			return true;
	}
	return false;
}

static bool
check_acl_body(struct s3_call *c, bool *is_public)
{
	if (c->request->body_len == 0)
		return true;
	if (c->bucket->ownership != NULL &&
	    strcmp(c->bucket->ownership, "BucketOwnerEnforced") == 0)
		return s3_error(c, 400, "AccessControlListNotSupported", "The bucket does not allow "
		    "ACLs", NULL);
	*is_public = body_is_public(c->request);
	if (*is_public && (c->bucket->block.block_acls || c->s3->account_block))
		return s3_error(c, 403, "AccessDenied", "Access Denied", NULL);
	return true;
}

void
s3_put_acl(struct s3_call *c)
{
	struct object *object = NULL;
	bool is_public;

	if (!s3_permit(c, c->key != NULL ? "s3:PutObjectAcl" : "s3:PutBucketAcl") ||
	    (c->key != NULL && (object = object_of(c)) == NULL) ||
	    !s3_wanted_acl(c, &is_public) || !check_acl_body(c, &is_public))
		return;
	if (object != NULL)
		object->is_public = is_public;
	else
		c->bucket->is_public = is_public;
	c->answer->status = 200;
}

/* -- object ownership -- */

void
s3_get_ownership(struct s3_call *c)
{
	cleanup(buf_done) struct buf xml = BUF_INIT;

	if (!s3_permit(c, "s3:GetBucketOwnershipControls"))
		return;
	if (c->bucket->ownership == NULL) {
		s3_error(c, 404, "OwnershipControlsNotFoundError", "The bucket ownership controls "
		    "were not found", NULL);
		return;
	}
	buf_add_str(&xml, "<Rule>");
	xml_element(&xml, "ObjectOwnership", c->bucket->ownership);
	buf_add_str(&xml, "</Rule>");
	s3_xml(c, 200, "OwnershipControls", &xml);
}

void
s3_put_ownership(struct s3_call *c)
{
	struct xml_part body = { c->request->body, c->request->body_len };
	cleanup(free_p) char *ownership = xml_text_of(body, "ObjectOwnership");

	if (!s3_permit(c, "s3:PutBucketOwnershipControls"))
		return;
	if (ownership == NULL || (strcmp(ownership, "BucketOwnerEnforced") != 0 &&
	    strcmp(ownership, "BucketOwnerPreferred") != 0 &&
	    strcmp(ownership, "ObjectWriter") != 0)) {
		s3_error(c, 400, "MalformedXML", "The XML you provided was not well-formed", NULL);
		return;
	}
	free(c->bucket->ownership);
	c->bucket->ownership = steal(ownership);
	c->answer->status = 200;
}

void
s3_delete_ownership(struct s3_call *c)
{
	if (!s3_permit(c, "s3:PutBucketOwnershipControls"))
		return;
	free(c->bucket->ownership);
	c->bucket->ownership = NULL;
	c->answer->status = 204;
}

/* -- block public access -- */

void
s3_get_block(struct s3_call *c)
{
	const struct access_block *block = &c->bucket->block;
	cleanup(buf_done) struct buf xml = BUF_INIT;

	if (!s3_permit(c, "s3:GetBucketPublicAccessBlock"))
		return;
	if (!block->is_set) {
		s3_error(c, 404, "NoSuchPublicAccessBlockConfiguration", "The public access block "
		    "configuration was not found", NULL);
		return;
	}
	xml_element(&xml, "BlockPublicAcls", block->block_acls ? "true" : "false");
	xml_element(&xml, "IgnorePublicAcls", block->ignore_acls ? "true" : "false");
	xml_element(&xml, "BlockPublicPolicy", block->block_policy ? "true" : "false");
	xml_element(&xml, "RestrictPublicBuckets", block->restrict_buckets ? "true" : "false");
	s3_xml(c, 200, "PublicAccessBlockConfiguration", &xml);
}

static bool
is_true(struct xml_part body, const char *tag)
{
	cleanup(free_p) char *text = xml_text_of(body, tag);

	return text != NULL && strcasecmp(text, "true") == 0;
}

void
s3_put_block(struct s3_call *c)
{
	struct xml_part body = { c->request->body, c->request->body_len };

	if (!s3_permit(c, "s3:PutBucketPublicAccessBlock"))
		return;
	c->bucket->block = (struct access_block){
		.is_set = true,
		.block_acls = is_true(body, "BlockPublicAcls"),
		.ignore_acls = is_true(body, "IgnorePublicAcls"),
		.block_policy = is_true(body, "BlockPublicPolicy"),
		.restrict_buckets = is_true(body, "RestrictPublicBuckets"),
	};
	c->answer->status = 200;
}

void
s3_delete_block(struct s3_call *c)
{
	if (!s3_permit(c, "s3:PutBucketPublicAccessBlock"))
		return;
	c->bucket->block = (struct access_block){ 0 };
	c->answer->status = 204;
}
