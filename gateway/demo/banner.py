"""What the demo says once it runs: ready to paste."""

import json
from string import Template

from gateway.demo.samples import ALICE, BOB, SAMPLES

QUERY = "{ images(first: 3) { nodes { id name status visibility tags } } }"
MUTATION = (
    'mutation { addTag(input: {id: "$image", tag: "tried"}) { image { name tags } } }'
)

BANNER = Template("""
GraphQL   $url
GraphiQL  $page
Glance    $glance

Two projects; a token says who you are (user:project:roles):
  alice   $alice
  bob     $bob

A query:
  curl $url -H 'Content-Type: application/json' \\
    -H 'X-Auth-Token: $alice' \\
    -d '$query'

A mutation:
  curl $url -H 'Content-Type: application/json' \\
    -H 'X-Auth-Token: $alice' \\
    -d '$mutation'

Ctrl-C stops both.
""")


def banner(*, url: str, page_url: str, glance_url: str) -> str:
    """Return the text, with addresses, tokens and two requests to paste."""
    image = next(sample for sample in SAMPLES if sample.token == ALICE)
    mutation = Template(MUTATION).substitute(image=image.image_id)
    return BANNER.substitute(
        url=url,
        page=page_url,
        glance=glance_url,
        alice=ALICE,
        bob=BOB,
        query=json.dumps({"query": QUERY}),
        mutation=json.dumps({"query": mutation}),
    )
