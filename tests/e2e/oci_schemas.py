"""The JSON schemas of the OCI image specification, as Debian packages them."""

import json
import pathlib
import urllib.parse

import jsonschema

FOLDER = pathlib.Path("/usr/share/gocode/src/github.com/opencontainers/image-spec/schema")
SCHEMAS = {
    "application/vnd.oci.image.index.v1+json": "image-index-schema.json",
    "application/vnd.oci.image.manifest.v1+json": "image-manifest-schema.json",
    "application/vnd.oci.image.config.v1+json": "config-schema.json",
    "application/vnd.oci.layout.header.v1+json": "image-layout-schema.json",
}


def load(name):
    return json.loads((FOLDER / name).read_text())


def validate(media_type, document):
    """Raises jsonschema.ValidationError for a document that its schema does not allow."""
    schema = load(SCHEMAS[media_type])
    # The schemas name each other relative to their own ids; all of them lie in the one folder.
    local = lambda uri: load(urllib.parse.urlparse(uri).path.rsplit("/", 1)[1])
    resolver = jsonschema.RefResolver(schema["id"], schema, handlers={"https": local, "http": local})
    jsonschema.Draft4Validator(schema, resolver=resolver).validate(document)
